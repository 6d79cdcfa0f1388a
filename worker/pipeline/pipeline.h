/*
 * The pipeline: commands in, changes and events out, deliveries to the engine; one thread. Its loop
 * is the architecture:
 *
 *     wait ─► hear the group ─► prepare the stores ─► restore a slice ─► activate a partition
 *      ▲                                                                        │
 *      └──── flush SQLite ◄── refill the engine ◄── skip lost inputs ◄── turn ◄─┘
 *
 * Each of them is a step (step.h) that returns a value, and there is one switch over it.
 */
#pragma once

#include "base/config.h"
#include "delivery/engine.h"
#include "pipeline/metrics.h"
#include "pipeline/readiness.h"
#include "signature/master_keys.h"

struct pipeline;

enum {
	PIPELINE_E_FATAL = 1,    /* logged: a restart alone does not mend it */
	PIPELINE_E_REPLACED = 2, /* another worker with the same worker.id took over */
};

/* All are borrowed for the pipeline's life. */
struct pipeline *pipeline_new(const struct config *config, const struct master_keys *master_keys,
			      struct engine *engine);
void pipeline_free(struct pipeline *pipeline);
DEFINE_CLEANUP(struct pipeline, pipeline_free)

/*
 * Connects, checks the topics, opens the replica, joins the group. Waits for the brokers until
 * pipeline_stop. Returns 0, PIPELINE_E_FATAL, -ECANCELED when stopped, or another negative errno
 * (logged).
 */
int pipeline_open(struct pipeline *pipeline) _must_check_;

/*
 * Runs until pipeline_stop, then drains: no new attempt begins, those in flight end, their outcomes
 * are committed. Returns 0 or an error as above.
 */
int pipeline_run(struct pipeline *pipeline) _must_check_;

/* Both may be called on any thread. */
void pipeline_stop(struct pipeline *pipeline);
void pipeline_wake(struct pipeline *pipeline);

/* For the operations server; any thread, after pipeline_open. */
const struct pipeline_metrics *pipeline_metrics(const struct pipeline *pipeline);
enum pipeline_readiness pipeline_readiness(const struct pipeline *pipeline);
/* worker.data.dir */
const char *pipeline_data_dir(const struct pipeline *pipeline);
