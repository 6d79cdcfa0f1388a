/* The engine's counters: written by the delivery threads, read by any. */
#pragma once

#include "domain/attempt.h"

#include <stdatomic.h>
#include <stdint.h>

/* Attempt durations: bucket i of the histogram counts attempts of at most engine_bucket_seconds[i];
 * the last one is +Inf. */
enum { ENGINE_BUCKET_COUNT = 14 };
extern const double engine_bucket_seconds[ENGINE_BUCKET_COUNT];

struct engine_counters {
	/* Since the start. */
	atomic_uint_fast64_t attempts[ATTEMPT_REASON_COUNT];
	atomic_uint_fast64_t durations[ENGINE_BUCKET_COUNT + 1];
	atomic_uint_fast64_t duration_sum_us;
	atomic_uint_fast64_t connections_opened;
	atomic_uint_fast64_t worked_us; /* of all threads together: outside epoll_wait */
	/* Now. */
	atomic_int in_flight;
	atomic_int queued;
	atomic_int connections;
};

/* Counts an attempt that ended. Any thread. */
void engine_counters_add_attempt(struct engine_counters *counters, enum attempt_reason reason,
				 int64_t duration_us);
