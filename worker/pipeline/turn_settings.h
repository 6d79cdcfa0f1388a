/* The parts of a worker that its turns use. */
#pragma once

#include "dispatch/dispatcher.h"
#include "pipeline/membership.h"
#include "pipeline/partition.h"

struct turns_settings { /* all borrowed */
	const struct config *config;
	const struct master_keys *master_keys;
	const struct topics *topics;
	const char *cluster_id;
	struct engine *engine;
	struct codec *codec;
	struct schema_registry *schema_registry; /* NULL: none is configured */
	struct partitions *partitions;
	struct membership *membership;
	struct group_watch *watch; /* NULL: there are no other workers */
	struct dispatcher *dispatcher;
	struct tenant_pending *tenant_pending;
	struct pipeline_metrics *metrics;
};
