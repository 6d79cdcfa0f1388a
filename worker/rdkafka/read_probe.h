/* Whether a topic may be read. librdkafka tells a consumer once that it may not, if at all, and
 * never that it may again. */
#pragma once

#include "base/backoff.h"
#include "base/config.h"

#include <librdkafka/rdkafka.h>

/* All zero: nothing is asked. */
struct read_probe {
	struct backoff backoff; /* of asking */
	rd_kafka_t *client;     /* that asked last; owned */
};

/* The topic was refused: it is asked for after a pause. */
void read_probe_refuse(struct read_probe *probe);
/*
 * Asks, with growing pauses, by reading the end of the topic's first partition with a client of its
 * own. Never waits for an answer: called now and then, it returns 0 once the topic may be read, the
 * error when that is refused (refusal_cause has its cause), and until then
 * RD_KAFKA_RESP_ERR__IN_PROGRESS.
 */
rd_kafka_resp_err_t read_probe_ask(struct read_probe *probe, const struct config *config,
				   const char *topic) _must_check_;
/* Asks no more. */
void read_probe_stop(struct read_probe *probe);
