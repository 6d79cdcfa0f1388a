#include "delivery/descriptors.h"

#include "base/memory.h"

#include <errno.h>

enum {
	THREAD_OWN = 2, /* its epoll and its inbox */
	SHARD_OWN = 2,  /* the pair with which curl can wake a multi handle */
	SHARDS_MIN = 8, /* of a thread among many, where descriptors suffice */
	SHARDS_IN_ALL = 256,
	OWN_PART = 4, /* a quarter of the descriptors at most is for the threads themselves */
};

static int of_thread(int shards) {
	return THREAD_OWN + SHARD_OWN * shards;
}

static int shards_wanted(int threads) {
	return MIN(MAX(SHARDS_IN_ALL / threads, (int)SHARDS_MIN), (int)DESCRIPTORS_SHARDS_MAX);
}

int descriptors_share(int limit, int threads, struct descriptors_plan *plan) {
	int left = MAX(limit - DESCRIPTORS_RESERVED, 0), own = left / OWN_PART;

	plan->threads = MAX(MIN(threads, own / of_thread(SHARDS_MIN)), 1);
	plan->shards = MAX(
	    MIN(shards_wanted(plan->threads), (own / plan->threads - THREAD_OWN) / SHARD_OWN), 1);
	plan->connections_max = left - plan->threads * of_thread(plan->shards);
	return plan->connections_max < 1 ? -EMFILE : 0;
}

int descriptors_needed(int threads, int connections) {
	int own = threads * of_thread(shards_wanted(threads));

	return DESCRIPTORS_RESERVED + MAX(own + connections, own * OWN_PART);
}
