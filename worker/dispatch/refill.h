/*
 * From the replica into memory: fills the windows of the endpoints that are due, lane by lane and
 * in the order of their due times.
 *
 *     due      its pending deliveries that are due are chosen, as far as its window has room
 *     RESCAN   its webhook may have changed: its route is made, or it is cancelled, and its next
 *              due time is looked up
 *
 * A refill is bounded, since transactions wait for it: 10 ms and 256 endpoints a lane, 8 MiB of
 * records an endpoint. That of prompt endpoints may last as long as it was waited for, up to 250 ms
 * and as many more endpoints: where turns follow each other at once, half of the time is for what
 * is due.
 */
#pragma once

#include "dispatch/health.h"
#include "dispatch/outstanding.h"
#include "replica/replica.h"
#include "signature/master_keys.h"

enum { DISPATCH_CLOCK_STEP_MS = 1000 }; /* a smaller one may be a slow machine */

struct dispatch_refill {
	/* Borrowed. */
	const struct dispatch_health *health;
	struct dispatch_outstanding *outstanding;
	const struct master_keys *master_keys;
	struct replica *replica;
	struct retry_policy retry;
	int64_t (*monotonic_ms)(void);

	int64_t ended_ms;       /* monotonic: the last one */
	int64_t clock_ahead_ms; /* the wall clock's distance from the monotonic one */
	struct arena *arena;    /* owned; of one endpoint's look-ups */
};

/* `refill` has its borrowed fields. */
void dispatch_refill_init(struct dispatch_refill *refill, int64_t now_ms);
void dispatch_refill_destroy(struct dispatch_refill *refill);

/* Returns 0 or a negative errno of the replica. */
int dispatch_refill_run(struct dispatch_refill *refill, int64_t now_ms) _must_check_;
/* When (wall) it has something to do next; DISPATCH_NEVER: nothing is due. */
int64_t dispatch_refill_next_ms(const struct dispatch_refill *refill);
/* When (wall) the delivery is due: retry_due_ms() by its endpoint's clock (R10). */
int64_t dispatch_refill_due_ms(const struct dispatch_refill *refill,
			       const struct dispatch_endpoint *endpoint,
			       const struct delivery *delivery, int64_t now_ms);
