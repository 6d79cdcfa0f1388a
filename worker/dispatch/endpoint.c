#include "dispatch/endpoint.h"

#include "base/invariant.h"

#include <utlist.h>

/* Kept for their routes: deriving a signing key costs more than a delivery. */
enum { IDLE_ENDPOINTS_MAX = 16384 };

void dispatch_endpoints_init(struct dispatch_endpoints *endpoints, size_t max_in_flight,
			     size_t full_window) {
	*endpoints = (struct dispatch_endpoints){ .full_window = full_window };
	dispatch_lanes_init(&endpoints->lanes, max_in_flight);
}

void dispatch_endpoints_destroy(struct dispatch_endpoints *endpoints) {
	struct dispatch_endpoint *endpoint, *next;

	HASH_ITER(hh, endpoints->by_id, endpoint, next)
	dispatch_endpoint_free(endpoints, endpoint);
	for (int lane = 0; lane < DISPATCH_LANE_COUNT; lane++)
		heap_destroy(&endpoints->due[lane]);
}

/* The table. */

struct dispatch_endpoint *dispatch_endpoint_find(const struct dispatch_endpoints *endpoints,
						 const struct uuid *webhook_id) {
	struct dispatch_endpoint *endpoint;

	HASH_FIND(hh, endpoints->by_id, webhook_id, sizeof(*webhook_id), endpoint);
	return endpoint;
}

struct dispatch_endpoint *dispatch_endpoint_get(struct dispatch_endpoints *endpoints,
						struct dispatch_partition partition,
						const struct uuid *webhook_id) {
	struct dispatch_endpoint *endpoint = dispatch_endpoint_find(endpoints, webhook_id);

	if (!endpoint) {
		endpoint = x_calloc(1, sizeof(*endpoint));
		endpoint->webhook_id = *webhook_id;
		endpoint->lane = DISPATCH_LANE_UNPROVEN;
		endpoint->window = 1;
		endpoint->readable = SIZE_MAX;
		endpoint->next_due_ms = DISPATCH_NEVER;
		HASH_ADD(hh, endpoints->by_id, webhook_id, sizeof(endpoint->webhook_id), endpoint);
	}
	endpoint->partition = partition;
	return endpoint;
}

void dispatch_endpoint_free(struct dispatch_endpoints *endpoints,
			    struct dispatch_endpoint *endpoint) {
	invariant_with(endpoint->load.count == 0,
		       "an endpoint that is freed has no deliveries in memory", "count=%zu",
		       endpoint->load.count);
	dispatch_endpoint_set_breaker(endpoints, endpoint, (struct breaker){ 0 });
	dispatch_endpoint_end_report(endpoints, endpoint);
	dispatch_endpoint_leave_lists(endpoints, endpoint);
	heap_remove(&endpoints->due[endpoint->lane], &endpoint->due);
	HASH_DEL(endpoints->by_id, endpoint);
	route_unref(endpoint->route);
	free(endpoint);
}

/* Places. */

void dispatch_endpoint_leave_lists(struct dispatch_endpoints *endpoints,
				   struct dispatch_endpoint *endpoint) {
	if (endpoint->is_idle) {
		DL_DELETE(endpoints->idle, endpoint);
		endpoints->idle_count--;
		endpoint->is_idle = false;
	}
	if (endpoint->cancel_reason) {
		DL_DELETE(endpoints->cancelled, endpoint);
		endpoint->cancel_reason = NULL;
	}
}

static void enter_idle(struct dispatch_endpoints *endpoints, struct dispatch_endpoint *endpoint) {
	if (endpoint->is_idle)
		return;
	DL_APPEND(endpoints->idle, endpoint);
	endpoint->is_idle = true;
	endpoints->idle_count++;
}

/*
 * A rescan does not wait for room: deliveries in flight may take their time, and those that have to
 * be cancelled should be cancelled now. Other refills wait until half of the window is free, or
 * half of what they can read: before, large bodies would be read again and again for nothing.
 */
static bool may_be_due(const struct dispatch_endpoints *endpoints,
		       const struct dispatch_endpoint *endpoint) {
	size_t window = MIN(dispatch_endpoint_window(endpoints, endpoint), endpoint->readable);

	if (endpoint->cancel_reason || endpoint->next_due_ms == DISPATCH_NEVER)
		return false;
	if (endpoint->next_due_ms == DISPATCH_RESCAN)
		return true;
	return !endpoint->breaker.is_gone && endpoint->load.count <= window / 2;
}

/* When a refill of it makes sense: not while it is held. */
static int64_t refill_at_ms(const struct dispatch_endpoint *endpoint) {
	return endpoint->next_due_ms == DISPATCH_RESCAN
		   ? DISPATCH_RESCAN
		   : MAX(endpoint->next_due_ms, endpoint->breaker.hold_until_ms);
}

void dispatch_endpoint_settle(struct dispatch_endpoints *endpoints,
			      struct dispatch_endpoint *endpoint) {
	struct heap *due = &endpoints->due[endpoint->lane];

	if (may_be_due(endpoints, endpoint))
		heap_set(due, &endpoint->due, refill_at_ms(endpoint));
	else
		heap_remove(due, &endpoint->due);
	if (endpoint->cancel_reason)
		return;
	if (endpoint->next_due_ms != DISPATCH_NEVER || endpoint->load.count > 0)
		dispatch_endpoint_leave_lists(endpoints, endpoint);
	else
		enter_idle(endpoints, endpoint);
	if (endpoints->idle_count > IDLE_ENDPOINTS_MAX)
		dispatch_endpoint_free(endpoints, endpoints->idle);
}

void dispatch_endpoint_cancel(struct dispatch_endpoints *endpoints,
			      struct dispatch_endpoint *endpoint, const char *reason) {
	dispatch_endpoint_leave_lists(endpoints, endpoint);
	endpoint->cancel_reason = reason;
	DL_APPEND(endpoints->cancelled, endpoint);
	dispatch_endpoint_settle(endpoints, endpoint);
}

void dispatch_endpoint_suspend(struct dispatch_endpoints *endpoints,
			       struct dispatch_endpoint *endpoint) {
	heap_remove(&endpoints->due[endpoint->lane], &endpoint->due);
	dispatch_endpoint_end_report(endpoints, endpoint);
	endpoint->notice_asked_ms = 0;
	if (!endpoint->cancel_reason)
		return;
	dispatch_endpoint_leave_lists(endpoints, endpoint);
	endpoint->next_due_ms = DISPATCH_RESCAN;
}

void dispatch_endpoint_step_clock(struct dispatch_endpoints *endpoints,
				  struct dispatch_endpoint *endpoint, int64_t step_ms,
				  int64_t now_ms) {
	struct heap *due = &endpoints->due[endpoint->lane];

	if (endpoint->breaker.hold_until_ms)
		endpoint->breaker.hold_until_ms += step_ms;
	if (endpoint->breaker.counted_at_ms)
		endpoint->breaker.counted_at_ms += step_ms;
	if (endpoint->notice_asked_ms)
		endpoint->notice_asked_ms += step_ms;
	endpoint->clock_ahead_until_ms = MAX(endpoint->clock_ahead_until_ms, now_ms - step_ms);
	if (endpoint->next_due_ms == DISPATCH_NEVER || endpoint->cancel_reason)
		return;
	endpoint->next_due_ms = DISPATCH_RESCAN;
	if (heap_has(&endpoint->due))
		heap_set(due, &endpoint->due, DISPATCH_RESCAN);
}

struct dispatch_endpoint *dispatch_endpoints_first_due(const struct dispatch_endpoints *endpoints,
						       enum dispatch_lane lane) {
	struct heap_node *first = heap_first(&endpoints->due[lane]);

	if (!first ||
	    (first->key != DISPATCH_RESCAN && dispatch_lanes_is_full(&endpoints->lanes, lane)))
		return NULL;
	return CONTAINER_OF(first, struct dispatch_endpoint, due);
}

/* Memory. */

size_t dispatch_endpoint_window(const struct dispatch_endpoints *endpoints,
				const struct dispatch_endpoint *endpoint) {
	return dispatch_lanes_is_scarce(&endpoints->lanes, endpoint->lane)
		   ? MIN(endpoint->window, endpoints->full_window)
		   : endpoint->window;
}

bool dispatch_endpoint_has_room(const struct dispatch_endpoints *endpoints,
				const struct dispatch_endpoint *endpoint) {
	return endpoint->load.count < dispatch_endpoint_window(endpoints, endpoint) &&
	       !dispatch_lanes_is_full(&endpoints->lanes, endpoint->lane);
}

static void set_load(struct dispatch_endpoints *endpoints, struct dispatch_endpoint *endpoint,
		     struct dispatch_load load) {
	dispatch_lanes_remove(&endpoints->lanes, endpoint->lane, endpoint->load);
	endpoint->load = load;
	dispatch_lanes_add(&endpoints->lanes, endpoint->lane, load);
}

void dispatch_endpoint_add_load(struct dispatch_endpoints *endpoints,
				struct dispatch_endpoint *endpoint, size_t bytes) {
	set_load(endpoints, endpoint,
		 (struct dispatch_load){ endpoint->load.count + 1, endpoint->load.bytes + bytes });
}

void dispatch_endpoint_remove_load(struct dispatch_endpoints *endpoints,
				   struct dispatch_endpoint *endpoint, size_t bytes) {
	invariant_with(endpoint->load.count > 0 && endpoint->load.bytes >= bytes,
		       "an endpoint gives back no more than it has in memory",
		       "count=%zu bytes=%zu of=%zu", endpoint->load.count, bytes,
		       endpoint->load.bytes);
	set_load(endpoints, endpoint,
		 (struct dispatch_load){ endpoint->load.count - 1, endpoint->load.bytes - bytes });
}

void dispatch_endpoint_set_lane(struct dispatch_endpoints *endpoints,
				struct dispatch_endpoint *endpoint, enum dispatch_lane lane) {
	if (lane == endpoint->lane)
		return;
	heap_remove(&endpoints->due[endpoint->lane], &endpoint->due);
	dispatch_lanes_remove(&endpoints->lanes, endpoint->lane, endpoint->load);
	endpoint->lane = lane;
	dispatch_lanes_add(&endpoints->lanes, lane, endpoint->load);
}

/* Pace. */

enum { BURST_US = 100 * 1000, SECOND_US = 1000 * 1000 };

static int64_t interval_us(const struct dispatch_endpoint *endpoint) {
	return SECOND_US / endpoint->rate_limit;
}

/* Never further back than what a late turn makes up for. */
static int64_t paced_until_us(const struct dispatch_endpoint *endpoint, int64_t monotonic_ms) {
	return MAX(endpoint->paced_until_us,
		   monotonic_ms * 1000 - (endpoint->waits_for_pace ? SECOND_US : 0));
}

/* How much of the bucket is free; negative: it overflows for so long. */
static int64_t slack_us(const struct dispatch_endpoint *endpoint, int64_t monotonic_ms) {
	int64_t ahead_us = paced_until_us(endpoint, monotonic_ms) - monotonic_ms * 1000;

	return MAX((int64_t)BURST_US, interval_us(endpoint)) - ahead_us;
}

size_t dispatch_endpoint_allowance(const struct dispatch_endpoint *endpoint, int64_t monotonic_ms) {
	if (endpoint->rate_limit == 0)
		return SIZE_MAX;
	return (size_t)(MAX(slack_us(endpoint, monotonic_ms), INT64_C(0)) / interval_us(endpoint));
}

int64_t dispatch_endpoint_paced_ms(const struct dispatch_endpoint *endpoint, int64_t monotonic_ms) {
	int64_t missing_us = endpoint->rate_limit == 0
				 ? 0
				 : interval_us(endpoint) - slack_us(endpoint, monotonic_ms);

	return missing_us > 0 ? (missing_us + 999) / 1000 : 0;
}

void dispatch_endpoint_pace(struct dispatch_endpoint *endpoint, int64_t monotonic_ms) {
	if (endpoint->rate_limit == 0)
		return;
	endpoint->paced_until_us = paced_until_us(endpoint, monotonic_ms) + interval_us(endpoint);
}

/* Breakers and reports. */

void dispatch_endpoint_set_breaker(struct dispatch_endpoints *endpoints,
				   struct dispatch_endpoint *endpoint, struct breaker breaker) {
	endpoints->open_breakers += breaker.is_open - endpoint->breaker.is_open;
	endpoint->breaker = breaker;
}

void dispatch_endpoint_report(struct dispatch_endpoints *endpoints,
			      struct dispatch_endpoint *endpoint, struct route *route) {
	if (endpoint->reported)
		return;
	DL_APPEND2(endpoints->reports, endpoint, prev_report, next_report);
	endpoint->reported = route_ref(route);
}

void dispatch_endpoint_end_report(struct dispatch_endpoints *endpoints,
				  struct dispatch_endpoint *endpoint) {
	if (!endpoint->reported)
		return;
	DL_DELETE2(endpoints->reports, endpoint, prev_report, next_report);
	route_unref(TAKE(endpoint->reported));
	endpoint->breaker.is_gone = false;
}
