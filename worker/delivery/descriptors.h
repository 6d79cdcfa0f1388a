/* How the process's file descriptors are shared out: Kafka, the replica and the logs; the delivery
 * threads themselves; connections. */
#pragma once

enum {
	DESCRIPTORS_RESERVED =
	    256,         /* Kafka's, the replica's, the logs' and the operations port's */
	SHARDS_MAX = 64, /* of a thread */
};

struct descriptors_plan {
	int threads;
	int shards; /* of each thread: curl multi handles, with a pair of descriptors each */
	int connections_max; /* of all threads */
};

/*
 * With `limit` descriptors: as many of the `threads` wanted, and as many shards, as leave three
 * quarters to connections; never fewer than one of each. Shards keep the walks of curl's caches
 * short, so their number in all matters and more threads need fewer each. Returns 0, or -EMFILE
 * where not one connection is left.
 */
int descriptors_share(int limit, int threads, struct descriptors_plan *plan)
    __attribute__((warn_unused_result));

/* The least limit with which there are as many threads, and at least as many connections. */
int descriptors_needed(int threads, int connections);
