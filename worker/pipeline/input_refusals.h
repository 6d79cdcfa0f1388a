/* The inputs that this worker's principal may not read, and whether it may again. */
#pragma once

#include "base/backoff.h"
#include "domain/state.h"
#include "pipeline/metrics.h"
#include "rdkafka/topics.h"

#include <stdbool.h>

struct input_refusals {
	bool is_refused[POSITION_INPUTS];
	struct backoff backoff; /* of asking again */
};

/* The brokers refused the topic's records. */
void input_refusals_note(struct input_refusals *refusals, const struct topics *topics,
			 const char *topic);

bool input_refusals_are_there(const struct input_refusals *refusals);

/*
 * Asks about each refused topic, with growing pauses; takes METRIC_REFUSED_INPUT back when the last
 * one may be read. About once a second; a question takes two at most.
 */
void input_refusals_watch(struct input_refusals *refusals, const struct config *config,
			  const struct topics *topics, struct pipeline_metrics *metrics);
