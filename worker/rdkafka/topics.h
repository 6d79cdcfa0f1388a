/*
 * The topics by name, and the check that they fit together: webhook-admin, credential-issuance and
 * webhook-state have the same number of partitions, so that one tenant is one partition, one owner,
 * one order (docs/operating.md, "Topics").
 */
#pragma once

#include "base/config.h"

#include <librdkafka/rdkafka.h>

/*
 * The error of a topic that the brokers did not list: of all topics they leave out those that this
 * principal may not describe, and those that are not there. Asked for by its name, one is told from
 * the other.
 */
rd_kafka_resp_err_t topics_ask_why_missing(rd_kafka_t *client, const char *name, int timeout_ms);

struct topics {
	char *admin;        /* webhook-admin */
	char *issuance;     /* credential-issuance */
	char *state;        /* webhook-state */
	char *results;      /* webhook-results */
	char *dead_letters; /* webhook-dead-letters */
};

void topics_init(struct topics *topics, const char *prefix);
void topics_destroy(struct topics *topics);

enum { TOPICS_E_REFUSED = 1 };

/*
 * Asks the brokers. Returns 0 and the number of partitions; TOPICS_E_REFUSED after logging which
 * topic is missing or differs; -EAGAIN (logged) while one has no leader; or -ETIMEDOUT, which is
 * the caller's to log, when no broker answered.
 */
int topics_check(const struct topics *topics, rd_kafka_t *client, int timeout_ms,
		 int32_t *partition_count) _must_check_;
