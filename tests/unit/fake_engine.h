/*
 * An engine without threads and network, linked in place of worker/delivery/engine.c. It keeps the
 * jobs that it is given until the test ends them. The gate and the lease are recorded, and refuse
 * nothing.
 */
#pragma once

#include "delivery/engine.h"
#include "delivery/job_list.h"

enum { FAKE_ENGINE_PARTITIONS = 4, FAKE_ENGINE_DROPS_MAX = 64 };

struct engine {
	struct job_list submitted; /* owned; in the order of engine_submit */
	struct job_list accepted;  /* owned; those that fake_engine_accept has moved there */
	struct job_list ended;     /* owned; for engine_collect */
	uint32_t gates[FAKE_ENGINE_PARTITIONS];
	int64_t lease_until_us;
	struct uuid drops[FAKE_ENGINE_DROPS_MAX]; /* webhooks of engine_drop_endpoint */
	size_t drop_count;
	struct engine_counters counters;
};

/* The caller owns it: engine_free. */
struct engine *fake_engine_new(void);

/* Moves the submitted jobs to the accepted ones: the next ones are told from them. */
void fake_engine_accept(struct engine *engine);

/* Takes the job of a delivery out of both lists, for the caller; NULL: it is in neither. */
struct job *fake_engine_take(struct engine *engine, const struct uuid *delivery_id);

/* Puts a job among those that engine_collect returns. */
void fake_engine_end(struct engine *engine, struct job *job);
