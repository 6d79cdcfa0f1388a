#include "dispatch/cancel.h"

#include "domain/delivery_subject.h"

#include <utlist.h>

enum { CANCEL_MS = 50 };

struct cancel_walk {
	const struct dispatch_cancel *cancel;
	const struct dispatch_endpoint *endpoint;
	struct arena *arena;
	struct dispatch_cancellation *items;
	size_t count, limit;
	int64_t until_ms; /* monotonic */
};

static bool has_enough(const struct cancel_walk *walk) {
	return walk->count == walk->limit || walk->cancel->monotonic_ms() >= walk->until_ms;
}

/* Ends the walk when there are enough. */
static int add_cancellation(void *userdata, const struct delivery *delivery) {
	struct cancel_walk *walk = userdata;
	struct delivery copy;

	if (dispatch_outstanding_has(walk->cancel->outstanding, &delivery->id))
		return has_enough(walk);
	copy = delivery_copy_without_body(walk->arena, delivery);
	copy.subject = delivery_subject(walk->arena, delivery);
	walk->items[walk->count++] = (struct dispatch_cancellation){
		.delivery = copy,
		.partition_id = walk->endpoint->partition.id,
		.reason = walk->endpoint->cancel_reason,
	};
	return has_enough(walk);
}

/* The replica has no more of it than memory, which comes back by itself. */
static void end_cancel(struct dispatch_endpoints *endpoints, struct dispatch_endpoint *endpoint) {
	dispatch_endpoint_leave_lists(endpoints, endpoint);
	endpoint->next_due_ms = DISPATCH_NEVER;
	dispatch_endpoint_settle(endpoints, endpoint);
}

int dispatch_cancel_list(const struct dispatch_cancel *cancel, struct arena *arena, size_t limit,
			 struct dispatch_cancellation **out, size_t *count) {
	struct dispatch_endpoints *endpoints = cancel->outstanding->endpoints;
	struct cancel_walk walk = {
		.cancel = cancel,
		.arena = arena,
		.items = arena_alloc(arena, limit * sizeof(**out)),
		.limit = limit,
		.until_ms = cancel->monotonic_ms() + CANCEL_MS,
	};
	struct dispatch_endpoint *endpoint, *next;
	int r = 0;

	DL_FOREACH_SAFE(endpoints->cancelled, endpoint, next) {
		size_t before = walk.count;

		walk.endpoint = endpoint;
		r = replica_walk_pending(cancel->replica, &endpoint->webhook_id, add_cancellation,
					 &walk);
		if (r)
			break;
		if (walk.count == before)
			end_cancel(endpoints, endpoint);
		if (has_enough(&walk))
			break;
	}
	*out = walk.items;
	*count = walk.count;
	return MIN(r, 0);
}
