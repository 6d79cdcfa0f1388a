/* The word of /readyz. */
#pragma once

#include "pipeline/metrics.h"

#include <stdbool.h>

enum pipeline_readiness {
	PIPELINE_STARTING,  /* not a member of the group yet */
	PIPELINE_RESTORING, /* some partition is being restored */
	PIPELINE_READY,     /* all that is assigned is served, which may be nothing */
	PIPELINE_TORN,      /* a partition cannot be served */
	PIPELINE_FAILING,   /* brokers or the schema registry refuse what is needed, do not answer,
			     or it is tried again in vain */
};

/*
 * A function of what is counted, and of the lease: a member without one has had no answer of the
 * group for a whole session timeout. An idle worker asks the brokers for nothing else, so nothing
 * else tells it that they are away. Any thread.
 */
enum pipeline_readiness readiness_of(const struct pipeline_metrics *metrics, bool has_joined,
				     bool has_lease);
