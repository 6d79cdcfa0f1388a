#include "delivery/transfer_pool.h"

#include <utlist.h>

enum { POOLED_TRANSFERS_MAX = 256 };

struct transfer *transfer_pool_take(struct transfer_pool *pool) {
	struct transfer *transfer = pool->idle;

	if (!transfer)
		return NULL;
	DL_DELETE(pool->idle, transfer);
	pool->count--;
	return transfer;
}

/* The last one used is the next one taken: its memory is warm. */
void transfer_pool_give(struct transfer_pool *pool, struct transfer *transfer) {
	if (pool->count >= POOLED_TRANSFERS_MAX) {
		transfer_free(transfer);
		return;
	}
	DL_PREPEND(pool->idle, transfer);
	pool->count++;
}

void transfer_pool_destroy(struct transfer_pool *pool) {
	struct transfer *transfer;

	while ((transfer = transfer_pool_take(pool)))
		transfer_free(transfer);
}
