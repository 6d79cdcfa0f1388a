/* Divides the process's file descriptors between Kafka, the replica and the logs; the delivery
 * threads; and connections. */
#pragma once

#include "base/memory.h"

enum {
	/* Kafka's, the replica's, the logs' and the operations port's. */
	DESCRIPTORS_RESERVED = 256,
	DESCRIPTORS_SHARDS_MAX = 64, /* of a thread */
};

struct descriptors_plan {
	int threads;
	int shards;          /* of each thread: curl multi handles, with two descriptors each */
	int connections_max; /* of all threads */
};

/*
 * Plans with `limit` descriptors: as many of the wanted `threads`, and as many shards, as leave
 * three quarters to connections; at least one of each. Shards keep the walks of curl's caches
 * short, so that their total number counts: the more threads, the fewer each needs. Returns 0, or
 * -EMFILE where no connection is left.
 */
int descriptors_share(int limit, int threads, struct descriptors_plan *plan) _must_check_;

/* The lowest limit that allows so many threads and connections. */
int descriptors_needed(int threads, int connections);
