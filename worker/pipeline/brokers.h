/*
 * The first words with the brokers: whether they let the worker in, and whether they have its
 * topics.
 */
#pragma once

#include "base/backoff.h"
#include "pipeline/membership.h"
#include "pipeline/metrics.h"

#include <stdatomic.h>

struct brokers {
	/* All borrowed. */
	const struct config *config;
	const struct topics *topics;
	struct membership *membership;
	struct pipeline_metrics *metrics;
	const atomic_bool *stopping;
	int wake_fd;

	struct backoff backoff;      /* of asking for the topics */
	int64_t login_refused_at_ms; /* monotonic */
};

/*
 * Asks until the brokers tell the topics, with growing pauses. Returns 0 with the number of
 * partitions, -EPERM (logged) where the topics are not fit, or -ECANCELED when the pipeline stops.
 */
int brokers_wait_for_topics(struct brokers *brokers, int32_t *partition_count) _must_check_;

/* Whether the brokers refuse the login now; the metric says so too. About once a second. */
bool brokers_refuse_login(struct brokers *brokers, int64_t now_ms);
