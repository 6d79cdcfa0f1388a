/* Idle transfers of a delivery thread, kept for their easy handles (some 10 KB each). */
#pragma once

#include "delivery/transfer.h"

struct transfer_pool {
	struct transfer *idle; /* owned list; the last one used is the first */
	int count;
};

/* Frees the idle ones. */
void transfer_pool_destroy(struct transfer_pool *pool);

/* An idle transfer for the caller, or NULL when there is none. */
struct transfer *transfer_pool_take(struct transfer_pool *pool);
/* Takes a transfer that is in no shard. Keeps it, or frees it where there are enough. */
void transfer_pool_give(struct transfer_pool *pool, struct transfer *transfer);
