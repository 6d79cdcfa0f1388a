/* The pipeline's loop (pipeline.h has its drawing), over the parts that the pipeline made. */
#pragma once

#include "pipeline/brokers.h"
#include "pipeline/ownership.h"
#include "pipeline/stores.h"
#include "pipeline/turn.h"

#include <stdatomic.h>

/* All are borrowed. */
struct loop {
	const struct config *config;
	struct engine *engine;
	struct membership *membership;
	struct brokers *brokers;
	struct restorer *restorer;
	struct dispatcher *dispatcher;
	struct ownership *ownership;
	struct stores *stores;
	struct turns *turns;
	struct pipeline_metrics *metrics;
	const atomic_bool *stopping; /* set by any thread, which wakes the loop */
	atomic_bool *has_joined;     /* set once an assignment was accepted */
	int wake_fd;
	enum step_end end; /* STEP_DONE: it goes on */
};

/*
 * Runs until `*stopping`, then drains and returns STEP_DONE; or until a step ends it, with
 * STEP_REPLACED or STEP_FATAL.
 */
enum step_end loop_run(struct loop *loop) _must_check_;
