/* The parts of a worker that its restorer uses. */
#pragma once

#include "avro/codec.h"
#include "rdkafka/topics.h"
#include "replica/replica.h"
#include "restore/metrics.h"

/* All is borrowed for the restorer's life. */
struct restorer_settings {
	const struct config *config;
	const struct topics *topics;
	struct codec *codec;
	struct restore_metrics *metrics;
	int wake_fd; /* an eventfd that is written to when a step may do more */
};
