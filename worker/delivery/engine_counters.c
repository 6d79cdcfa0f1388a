#include "delivery/engine_counters.h"

#include <stddef.h>

const double engine_bucket_seconds[ENGINE_BUCKET_COUNT] = { 0.001, 0.0025, 0.005, 0.01, 0.025,
							    0.05,  0.1,    0.25,  0.5,  1,
							    2.5,   5,      10,    15 };

void engine_counters_add_attempt(struct engine_counters *counters, enum attempt_reason reason,
				 int64_t duration_us) {
	size_t bucket = 0;

	while (bucket < ENGINE_BUCKET_COUNT &&
	       (double)duration_us > engine_bucket_seconds[bucket] * 1e6)
		bucket++;
	atomic_fetch_add_explicit(&counters->durations[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counters->duration_sum_us, (uint64_t)duration_us,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&counters->attempts[reason], 1, memory_order_relaxed);
}
