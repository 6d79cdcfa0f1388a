/*
 * The pipeline: commands in, changes and events out, deliveries to the engine; one thread. Its loop
 * is the architecture:
 *
 *     wait ──► restore a slice ──► turn ──► refill ──► wait
 *
 * A turn takes what has come (commands, outcomes of attempts, what has to end or expire), handles
 * it, and commits it as one Kafka transaction; then SQLite; then it hands newly recorded deliveries
 * to the engine.
 */
#pragma once

#include "base/config.h"
#include "delivery/engine.h"
#include "pipeline/metrics.h"
#include "signature/master_keys.h"

struct pipeline;

enum {
	PIPELINE_E_FATAL = 1, /* logged: something that a restart alone does not mend */
	PIPELINE_E_REPLACED =
	    2, /* another worker was started with the same worker.id and took over */
};

/* Connects, checks the topics, opens the replica. Waits for the brokers until pipeline_stop.
 * Returns 0, PIPELINE_E_FATAL, -ECANCELED when stopped, or another negative errno (logged). */
int pipeline_open(struct pipeline *pipeline) _must_check_;

struct pipeline *pipeline_new(const struct config *config, const struct master_keys *master_keys,
			      struct engine *engine);
void pipeline_free(struct pipeline *pipeline);
DEFINE_CLEANUP(struct pipeline, pipeline_free)

/* Runs until pipeline_stop, then drains: no new attempt, those in flight end, their outcomes are
 * committed. Returns 0 or an error as above. */
int pipeline_run(struct pipeline *pipeline) _must_check_;

/* Both are safe in signal handlers and from any thread. */
void pipeline_stop(struct pipeline *pipeline);
void pipeline_wake(struct pipeline *pipeline);

/* For the operations server; any thread, after pipeline_open. */
const struct pipeline_metrics *pipeline_metrics(const struct pipeline *pipeline);

enum pipeline_readiness {
	PIPELINE_STARTING,  /* not a member of the group yet */
	PIPELINE_RESTORING, /* some partition is being restored */
	PIPELINE_READY,   /* every assigned partition is served; also when none is assigned, because
			     others have them all */
	PIPELINE_TORN,    /* a partition cannot be served */
	PIPELINE_FAILING, /* turn after turn cannot be committed */
};
enum pipeline_readiness pipeline_readiness(const struct pipeline *pipeline);
