/* The counters of restores. Written by the pipeline's thread and a restore's own, read by any. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One partition's: offsets of the changelog. */
struct restore_gauges {
	atomic_int_fast64_t offset; /* the next to be read */
	atomic_int_fast64_t target; /* the restore ends when it has read up to here */
};

struct restore_metrics {
	atomic_uint_fast64_t records; /* written to the replica */
	atomic_bool is_refused;       /* the brokers do not let the worker read the changelog */
};

/* Called for each record: writes only where the value changes. */
static inline void restore_metrics_refuse(struct restore_metrics *metrics, bool is_refused) {
	if (atomic_load_explicit(&metrics->is_refused, memory_order_relaxed) != is_refused)
		atomic_store(&metrics->is_refused, is_refused);
}
