/* What the delivery threads share with each other and with the engine's caller. */
#pragma once

#include "base/clock.h"
#include "delivery/outbox.h"

/* Partitions of the three topics that may have a gate; twice what any cluster of ours is meant to
 * have. */
enum { GATE_COUNT = 16384 };

struct shared {
	const struct config *config;       /* borrowed */
	char *user_agent;                  /* owned; the whole header line */
	struct x509_store_st *authorities; /* owned */
	int shard_count;                   /* of each thread */
	int connections_max; /* of all threads: what the process's descriptors allow */
	struct outbox outbox;
	struct engine_counters counters;
	atomic_uint_fast64_t histogram[ENGINE_BUCKET_COUNT + 1];
	atomic_uint_fast64_t duration_sum_us;
	pthread_mutex_t idle_mutex;
	pthread_cond_t idle;
	_Atomic uint32_t gates[GATE_COUNT]; /* the epoch that may pass; 0: none */
	_Atomic int64_t lease_until_us;     /* monotonic */
	_Atomic int64_t quiet_until_us;     /* monotonic: when a failure may be logged again */
};

/* Whether the job's assignment is still the one whose deliveries may leave. */
static inline bool shared_gate_admits(const struct shared *shared, const struct job *job) {
	return job->epoch && job->partition >= 0 && job->partition < GATE_COUNT &&
	       atomic_load(&shared->gates[job->partition]) == job->epoch;
}

static inline bool shared_lease_holds(const struct shared *shared) {
	return clock_monotonic_us() < atomic_load(&shared->lease_until_us);
}
