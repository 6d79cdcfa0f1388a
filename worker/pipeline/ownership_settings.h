/* The parts of a worker that its ownership of partitions uses. */
#pragma once

#include "dispatch/dispatcher.h"
#include "pipeline/membership.h"
#include "pipeline/partition.h"
#include "restore/restorer.h"

struct ownership_settings { /* all borrowed */
	const struct config *config;
	const struct topics *topics;
	const struct master_keys *master_keys;
	struct engine *engine;
	struct membership *membership;
	struct dispatcher *dispatcher;
	struct restorer *restorer;
	struct group_watch *watch; /* NULL: there are no other workers */
	struct pipeline_metrics *metrics;
};
