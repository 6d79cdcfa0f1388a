/*
 * The dispatcher's table of endpoints, by webhook id: where each stands, and how much of it is in
 * memory. This part keeps the lists, heaps and counts true; the parts above decide.
 *
 *     place       when                                                       kept in
 *     DUE         the replica has deliveries for it, and at most half        the heap of its lane,
 *                 of its window is used, and of what the bytes of a          by time
 *                 refill allow; or it is to be rescanned
 *     WAITING     the replica or memory has deliveries for it, and
 *                 it is not DUE
 *     CANCELLED   its webhook was found deleted or disabled                  a list
 *     IDLE        neither the replica nor memory has a delivery for it       a list, oldest first
 *
 *     CANCELLED begins [dispatch_endpoint_cancel] and ends [dispatch_endpoint_leave_lists] by a
 *     caller's decision; dispatch_endpoint_settle finds the others from the endpoint's fields.
 *     16384 idle endpoints are kept, for their routes; beyond that the oldest is freed.
 */
#pragma once

#include "base/hash.h"
#include "base/heap.h"
#include "base/uuid.h"
#include "delivery/route.h"
#include "dispatch/lanes.h"
#include "dispatch/partition.h"
#include "domain/breaker.h"

#define DISPATCH_NEVER INT64_MAX
#define DISPATCH_RESCAN INT64_C(0) /* due at once: its webhook may have changed */

struct dispatch_endpoint {
	/* Set by this part alone. */
	struct uuid webhook_id;
	struct dispatch_partition partition;
	struct dispatch_load load; /* in memory */
	enum dispatch_lane lane;
	struct breaker breaker;
	const char *cancel_reason; /* static; NULL: it is not CANCELLED */
	bool is_idle;
	struct route *reported; /* counted; where the reported attempts went; NULL: no report */
	struct heap_node due;
	struct dispatch_endpoint *prev, *next; /* of the list of idle or of cancelled ones */
	struct dispatch_endpoint *prev_report, *next_report;
	UT_hash_handle hh;

	/* Set by the parts above. */
	struct route *route; /* counted; NULL until it is needed, and after a change */
	int64_t next_due_ms; /* wall: the earliest that only the replica has; or NEVER */
	size_t window;       /* how many may be in memory, where memory is not scarce */
	size_t readable;     /* how many of them the last refill's bytes allowed; SIZE_MAX: all */
	size_t streak;       /* successes since the window last changed */
	int64_t recorded_failing_ms; /* wall: its webhook's failingSince; 0: none */
	bool is_failing_told;        /* as its webhook says, and that it recovered is not */
	int64_t notice_asked_ms; /* wall: when that was last asked for by a report; 0: not yet */
	/* Of the last attempt that says something of it. */
	bool has_succeeded;
	int32_t last_status;     /* 0: none */
	const char *last_reason; /* in the tenant's words, static; NULL: none */
	int64_t updated_at_ms;   /* wall: of the webhook that the route is of */
	/* Wall: until then some of its deliveries may have been recorded by a clock that was ahead
	 * (R10). What the endpoint has asked this process to wait is in its breaker, and moves with
	 * the clock. */
	int64_t clock_ahead_until_ms;
	int32_t rate_limit; /* of its webhook: attempts a second; 0: none */
	/* Monotonic: when all attempts that it was given would be over, at its rate: a token bucket
	 * as one number. Source: ITU-T I.371, the generic cell rate algorithm. */
	int64_t paced_until_us;
	/* Deliveries wait for that time alone: where turns are too far between, up to a second is
	 * made up for. */
	bool waits_for_pace;
};

struct dispatch_endpoints {
	struct dispatch_lanes lanes;
	struct dispatch_endpoint *by_id;
	struct dispatch_endpoint *idle; /* list; oldest first */
	size_t idle_count;
	struct dispatch_endpoint *cancelled; /* list */
	struct dispatch_endpoint *reports;   /* list; oldest first */
	int open_breakers;
	size_t full_window; /* delivery.max.in.flight.per.endpoint */
	struct heap due[DISPATCH_LANE_COUNT];
};

void dispatch_endpoints_init(struct dispatch_endpoints *endpoints, size_t max_in_flight,
			     size_t full_window);
/* Frees all endpoints. None may have a delivery in memory. */
void dispatch_endpoints_destroy(struct dispatch_endpoints *endpoints);

/* NULL: it is not known. */
struct dispatch_endpoint *dispatch_endpoint_find(const struct dispatch_endpoints *endpoints,
						 const struct uuid *webhook_id);
/* Finds or makes it, and notes its partition's epoch. */
struct dispatch_endpoint *dispatch_endpoint_get(struct dispatch_endpoints *endpoints,
						struct dispatch_partition partition,
						const struct uuid *webhook_id);
/* Aborts where it has a delivery in memory. */
void dispatch_endpoint_free(struct dispatch_endpoints *endpoints,
			    struct dispatch_endpoint *endpoint);

/* Puts the endpoint where its fields say. May free the oldest idle one, which may be itself. */
void dispatch_endpoint_settle(struct dispatch_endpoints *endpoints,
			      struct dispatch_endpoint *endpoint);
/* Its webhook is deleted or disabled; `reason` is static text. */
void dispatch_endpoint_cancel(struct dispatch_endpoints *endpoints,
			      struct dispatch_endpoint *endpoint, const char *reason);
/* It is neither CANCELLED nor IDLE, until it is settled. */
void dispatch_endpoint_leave_lists(struct dispatch_endpoints *endpoints,
				   struct dispatch_endpoint *endpoint);
/* Its partition is suspended: it is in no heap and has no report. Should the partition come back, a
 * CANCELLED one is rescanned. */
void dispatch_endpoint_suspend(struct dispatch_endpoints *endpoints,
			       struct dispatch_endpoint *endpoint);

/* How many deliveries of it may be in memory now: where its lane is scarce, no more than may be in
 * flight. */
size_t dispatch_endpoint_window(const struct dispatch_endpoints *endpoints,
				const struct dispatch_endpoint *endpoint);
/* Whether one more may be in memory. */
bool dispatch_endpoint_has_room(const struct dispatch_endpoints *endpoints,
				const struct dispatch_endpoint *endpoint);
/* How many attempts its rate limit allows now; SIZE_MAX: any number. A tenth of a second's attempts
 * may begin at once, and what a late turn owes. */
size_t dispatch_endpoint_allowance(const struct dispatch_endpoint *endpoint, int64_t monotonic_ms);
/* When the next one is allowed, in milliseconds from now. */
int64_t dispatch_endpoint_paced_ms(const struct dispatch_endpoint *endpoint, int64_t monotonic_ms);
/* An attempt is given to it. */
void dispatch_endpoint_pace(struct dispatch_endpoint *endpoint, int64_t monotonic_ms);

/* Whether its breaker lets an attempt begin. */
static inline bool dispatch_endpoint_is_open(const struct dispatch_endpoint *endpoint,
					     int64_t now_ms) {
	return !endpoint->breaker.is_gone && endpoint->breaker.hold_until_ms <= now_ms;
}

/* A delivery of so many bytes enters or leaves memory. */
void dispatch_endpoint_add_load(struct dispatch_endpoints *endpoints,
				struct dispatch_endpoint *endpoint, size_t bytes);
void dispatch_endpoint_remove_load(struct dispatch_endpoints *endpoints,
				   struct dispatch_endpoint *endpoint, size_t bytes);
/* Moves it there with its load. In another lane it is in no heap until it is settled. */
void dispatch_endpoint_set_lane(struct dispatch_endpoints *endpoints,
				struct dispatch_endpoint *endpoint, enum dispatch_lane lane);
void dispatch_endpoint_set_breaker(struct dispatch_endpoints *endpoints,
				   struct dispatch_endpoint *endpoint, struct breaker breaker);
/* The wall clock was stepped, to `now_ms`: times are moved with it, and the replica is rescanned.
 * After a step back it is known that the clock was ahead, until it is again where it was. */
void dispatch_endpoint_step_clock(struct dispatch_endpoints *endpoints,
				  struct dispatch_endpoint *endpoint, int64_t step_ms,
				  int64_t now_ms);

/* Puts it on the list of reports; nothing happens where it is on it. */
void dispatch_endpoint_report(struct dispatch_endpoints *endpoints,
			      struct dispatch_endpoint *endpoint, struct route *route);
/*
 * Takes it off that list. An endpoint that is gone is held until its webhook knows, and no longer:
 * then the webhook is disabled, or has another url. A report that could not be written, because
 * the partition is another worker's, is made again after the next attempt.
 */
void dispatch_endpoint_end_report(struct dispatch_endpoints *endpoints,
				  struct dispatch_endpoint *endpoint);

/* The lane's endpoint that is due first, if it may be served: a rescan needs no room in the lane.
 * NULL: none. */
struct dispatch_endpoint *dispatch_endpoints_first_due(const struct dispatch_endpoints *endpoints,
						       enum dispatch_lane lane);
