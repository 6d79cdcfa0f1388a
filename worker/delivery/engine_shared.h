/* What the delivery threads share with each other and with the engine's caller. */
#pragma once

#include "base/clock.h"
#include "base/config.h"
#include "delivery/client_certificate.h"
#include "delivery/engine_counters.h"
#include "delivery/job.h"
#include "delivery/outbox.h"
#include "delivery/proxy.h"

#include <pthread.h>
#include <stdatomic.h>

/* Partitions that may have a gate: twice the design's bound for a cluster. */
enum { ENGINE_GATE_COUNT = 16384 };

struct engine_shared {
	const struct config *config;         /* borrowed */
	char *user_agent;                    /* owned; the whole header line */
	struct tls_authorities *authorities; /* owned */
	int shard_count;                     /* of each thread */
	int connections_max; /* of all threads: the process's descriptors bound it */
	struct outbox outbox;
	struct engine_counters counters;
	struct proxy proxy;
	struct client_certificate client_certificate;
	pthread_mutex_t idle_mutex;
	pthread_cond_t idle;                       /* nothing is in flight */
	_Atomic uint32_t gates[ENGINE_GATE_COUNT]; /* the epoch that may pass; 0: none */
	_Atomic int64_t lease_until_us;            /* monotonic */
	_Atomic int64_t next_failure_log_us;       /* monotonic: before it none is logged */
};

/* Whether the job belongs to the epoch for which its partition's gate is open. */
static inline bool engine_shared_gate_admits(const struct engine_shared *shared,
					     const struct job *job) {
	return job->epoch && job->partition >= 0 && job->partition < ENGINE_GATE_COUNT &&
	       atomic_load(&shared->gates[job->partition]) == job->epoch;
}

static inline bool engine_shared_lease_holds(const struct engine_shared *shared) {
	return clock_monotonic_us() < atomic_load(&shared->lease_until_us);
}

/* Whether an attempt of the job may begin, as its gate and the proxy say. */
static inline bool engine_shared_admits(struct engine_shared *shared, struct job *job) {
	return engine_shared_gate_admits(shared, job) && proxy_admits(&shared->proxy, job);
}
