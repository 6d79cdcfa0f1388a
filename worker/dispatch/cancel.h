/*
 * Cancellations: the pending deliveries of webhooks that are deleted or disabled, for the next
 * transaction to end.
 *
 *     rescan finds the webhook deleted or disabled ──► CANCELLED ──► listed, until the replica has
 *     [dispatch_routing_load]                                       none of it that is not in
 * memory [dispatch_cancel_list]
 *
 * Deliveries in memory are not cancelled: the outcomes of their attempts decide.
 */
#pragma once

#include "dispatch/outstanding.h"
#include "replica/replica.h"

struct dispatch_cancellation {
	struct delivery delivery; /* without its body; `subject` is the event's */
	int32_t partition_id;
	const char *reason; /* static: "webhook-deleted" or "webhook-disabled" */
};

/* All are borrowed. */
struct dispatch_cancel {
	const struct dispatch_outstanding *outstanding;
	struct replica *replica;
	int64_t (*monotonic_ms)(void);
};

/*
 * Up to `limit` of them, in the arena; fewer where reading them takes longer than 50 ms, since
 * large bodies make the walk long. Those that are not committed are listed again. Returns 0 or a
 * negative errno of the replica.
 */
int dispatch_cancel_list(const struct dispatch_cancel *cancel, struct arena *arena, size_t limit,
			 struct dispatch_cancellation **out, size_t *count) _must_check_;
