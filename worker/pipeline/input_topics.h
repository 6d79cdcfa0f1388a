/* The topics of the inputs. */
#pragma once

#include "pipeline/metrics.h"
#include "pipeline/partition.h"
#include "rdkafka/topic_names.h"
#include "rdkafka/topics.h"

static inline enum topic input_topic(enum input input) {
	return input == INPUT_ADMIN      ? TOPIC_ADMIN
	       : input == INPUT_ISSUANCE ? TOPIC_ISSUANCE
					 : TOPIC_EVENTS;
}

/* With the prefix; borrowed from `topics`. */
static inline const char *input_topic_name(const struct topics *topics, enum input input) {
	return input == INPUT_ADMIN      ? topics->admin
	       : input == INPUT_ISSUANCE ? topics->issuance
					 : topics->events;
}

/* Of one of the inputs' topics. */
static inline enum input input_of_topic(const struct topics *topics, const char *name) {
	if (strcmp(name, topics->issuance) == 0)
		return INPUT_ISSUANCE;
	return strcmp(name, topics->admin) == 0 ? INPUT_ADMIN : INPUT_EVENT;
}

_Static_assert(INPUT_ADMIN - METRIC_INPUT_ADMIN == 0 &&
		   INPUT_ISSUANCE - METRIC_INPUT_ISSUANCE == 0 &&
		   INPUT_EVENT - METRIC_INPUT_EVENT == 0,
	       "an input is counted under its own number");
