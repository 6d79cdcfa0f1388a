/* The inputs that this worker's principal may not read, and whether it may again. */
#pragma once

#include "domain/state.h"
#include "pipeline/metrics.h"
#include "rdkafka/read_probe.h"
#include "rdkafka/topics.h"

#include <stdbool.h>

struct input_refusals {
	bool is_refused[POSITION_INPUTS];
	int64_t silent_since_ms[POSITION_INPUTS]; /* monotonic; 0: it is not */
	struct read_probe probes[POSITION_INPUTS];
};

void input_refusals_close(struct input_refusals *refusals);

/* The brokers refused the topic's records. */
void input_refusals_note(struct input_refusals *refusals, const struct topics *topics,
			 const char *topic);

bool input_refusals_are_there(const struct input_refusals *refusals);

/*
 * Asks about each refused topic, and takes METRIC_REFUSED_INPUT back when the last one may be read.
 * Asks too about a topic that is `silent` for 10 s: one whose records are asked for, and of which
 * the last answer was none or an error. librdkafka tells of a refusal once; the news of it is lost
 * when the topic's partitions are assigned anew before it is taken. About once a second; it never
 * waits for an answer.
 */
void input_refusals_watch(struct input_refusals *refusals, const struct config *config,
			  const struct topics *topics, struct pipeline_metrics *metrics,
			  const bool silent[static POSITION_INPUTS]);
