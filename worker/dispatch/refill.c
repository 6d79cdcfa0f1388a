#include "dispatch/refill.h"

#include "dispatch/routing.h"

enum {
	REFILL_MS = 10,                     /* of a lane, and the endpoint that it ends with */
	REFILL_PROMPT_MAX_MS = 250,         /* of the lane of prompt endpoints */
	REFILL_ENDPOINTS_MAX = 256,         /* in each REFILL_MS */
	REFILL_BYTES_MAX = 8 * 1024 * 1024, /* of an endpoint */
};

void dispatch_refill_init(struct dispatch_refill *refill, int64_t now_ms) {
	refill->ended_ms = refill->monotonic_ms();
	refill->clock_ahead_ms = now_ms - refill->ended_ms;
	refill->arena = arena_new();
}

void dispatch_refill_destroy(struct dispatch_refill *refill) {
	arena_free(refill->arena);
}

/* One endpoint. */

static int load_route(const struct dispatch_refill *refill, struct dispatch_endpoint *endpoint,
		      const struct delivery *delivery, int64_t now_ms) {
	const struct dispatch_routing routing = {
		.health = refill->health,
		.master_keys = refill->master_keys,
		.replica = refill->replica,
		.arena = refill->arena,
	};

	return dispatch_routing_load(&routing, endpoint, delivery->tenant_id, now_ms);
}

/* The time for its pace; nobody asks for it without a rate limit. */
static int64_t pace_clock_ms(const struct dispatch_refill *refill,
			     const struct dispatch_endpoint *endpoint) {
	return endpoint->rate_limit ? refill->monotonic_ms() : 0;
}

/* Chooses the deliveries that are not in memory yet, as far as there is room. Returns whether all
 * of them are in memory. */
static bool choose_all(const struct dispatch_refill *refill, struct dispatch_endpoint *endpoint,
		       const struct delivery *deliveries, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (dispatch_outstanding_has(refill->outstanding, &deliveries[i].id))
			continue;
		if (!dispatch_endpoint_has_room(refill->health->endpoints, endpoint) ||
		    dispatch_endpoint_allowance(endpoint, pace_clock_ms(refill, endpoint)) == 0)
			return false;
		dispatch_endpoint_pace(endpoint, pace_clock_ms(refill, endpoint));
		dispatch_outstanding_add(refill->outstanding, endpoint, &deliveries[i]);
	}
	return true;
}

int64_t dispatch_refill_due_ms(const struct dispatch_refill *refill,
			       const struct dispatch_endpoint *endpoint,
			       const struct delivery *delivery, int64_t now_ms) {
	return retry_due_ms(&refill->retry, delivery, now_ms,
			    endpoint->clock_ahead_until_ms > now_ms);
}

/* Sets the endpoint's next due time: that of its first delivery which is due after `after_ms`. The
 * earlier ones are in memory. */
static int schedule_next(const struct dispatch_refill *refill, struct dispatch_endpoint *endpoint,
			 int64_t after_ms, int64_t now_ms) {
	struct delivery next;
	int r = replica_next_pending(refill->replica, refill->arena, &endpoint->webhook_id,
				     after_ms, &next);

	if (r < 0)
		return r;
	endpoint->next_due_ms =
	    r == REPLICA_E_NOT_FOUND
		? DISPATCH_NEVER
		: MAX(dispatch_refill_due_ms(refill, endpoint, &next, now_ms), DISPATCH_RESCAN + 1);
	return 0;
}

/* The webhook may have changed: its deliveries, now or later, go over the new route or are
 * cancelled. */
static int rescan_endpoint(const struct dispatch_refill *refill, struct dispatch_endpoint *endpoint,
			   int64_t now_ms) {
	struct delivery *deliveries;
	size_t count;
	int r = replica_pending(refill->replica, refill->arena, &endpoint->webhook_id, INT64_MAX,
				(struct delivery_bounds){ 1, SIZE_MAX }, &deliveries, &count);

	if (r >= 0)
		r = schedule_next(refill, endpoint, -1, now_ms);
	if (r == 0 && count > 0)
		r = load_route(refill, endpoint, &deliveries[0], now_ms);
	return r;
}

/* How many of its deliveries are worth reading: those in memory come first, and its rate limit lets
 * only some follow. */
static size_t readable_count(const struct dispatch_refill *refill,
			     const struct dispatch_endpoint *endpoint) {
	size_t allowance = dispatch_endpoint_allowance(endpoint, pace_clock_ms(refill, endpoint));
	size_t window = dispatch_endpoint_window(refill->health->endpoints, endpoint);

	return allowance < window ? MIN(window, endpoint->load.count + allowance) : window;
}

/*
 * Reads the endpoint's due deliveries. Where none is due, those that only a stepped clock has
 * scheduled too far ahead (R10). Returns REPLICA_E_MORE where there may be more.
 */
static int read_due(const struct dispatch_refill *refill, const struct dispatch_endpoint *endpoint,
		    int64_t now_ms, struct delivery **out, size_t *count) {
	const struct delivery_bounds bounds = { readable_count(refill, endpoint),
						REFILL_BYTES_MAX };
	size_t found;
	int r = replica_pending(refill->replica, refill->arena, &endpoint->webhook_id, now_ms,
				bounds, out, count);

	if (r < 0 || *count > 0)
		return r;
	r = replica_pending(refill->replica, refill->arena, &endpoint->webhook_id, INT64_MAX,
			    bounds, out, &found);
	while (r >= 0 && *count < found &&
	       dispatch_refill_due_ms(refill, endpoint, &(*out)[*count], now_ms) <= now_ms)
		++*count;
	return r == REPLICA_E_MORE && *count < found ? 0 : r;
}

static int fill_window(const struct dispatch_refill *refill, struct dispatch_endpoint *endpoint,
		       int64_t now_ms) {
	int64_t paced_ms = dispatch_endpoint_paced_ms(endpoint, pace_clock_ms(refill, endpoint));
	size_t window = readable_count(refill, endpoint), count;
	struct delivery *deliveries;
	bool is_cut;
	int r;

	if (paced_ms > 0) {
		endpoint->next_due_ms = now_ms + paced_ms;
		return 0;
	}
	r = read_due(refill, endpoint, now_ms, &deliveries, &count);
	is_cut = r == REPLICA_E_MORE;
	endpoint->readable = is_cut && count < window ? count : SIZE_MAX;
	if (r >= 0 && count > 0)
		r = load_route(refill, endpoint, &deliveries[0], now_ms);
	if (r < 0 || endpoint->cancel_reason || (count > 0 && !endpoint->route))
		return r;
	if (!choose_all(refill, endpoint, deliveries, count) || is_cut) {
		paced_ms = dispatch_endpoint_paced_ms(endpoint, pace_clock_ms(refill, endpoint));
		endpoint->next_due_ms = now_ms + paced_ms;
		endpoint->waits_for_pace |= paced_ms > 0;
		return 0;
	}
	endpoint->waits_for_pace = false;
	return schedule_next(
	    refill, endpoint,
	    count > 0 ? MAX(deliveries[count - 1].next_attempt_at_ms, now_ms) : now_ms, now_ms);
}

static int refill_endpoint(const struct dispatch_refill *refill, struct dispatch_endpoint *endpoint,
			   int64_t now_ms) {
	int r;

	arena_reset(refill->arena);
	r = endpoint->next_due_ms == DISPATCH_RESCAN ? rescan_endpoint(refill, endpoint, now_ms)
						     : fill_window(refill, endpoint, now_ms);
	if (r == 0)
		dispatch_endpoint_settle(refill->health->endpoints, endpoint);
	return r;
}

/* All endpoints that are due. */

/* Due times are wall-clock times. After a step of that clock the waiting deliveries are judged
 * again. */
static void notice_clock_step(struct dispatch_refill *refill, int64_t now_ms) {
	struct dispatch_endpoints *endpoints = refill->health->endpoints;
	int64_t ahead_ms = now_ms - refill->monotonic_ms(),
		step_ms = ahead_ms - refill->clock_ahead_ms;

	refill->clock_ahead_ms = ahead_ms;
	if (step_ms >= -DISPATCH_CLOCK_STEP_MS && step_ms <= DISPATCH_CLOCK_STEP_MS)
		return;
	for (struct dispatch_endpoint *e = endpoints->by_id; e; e = e->hh.next)
		dispatch_endpoint_step_clock(endpoints, e, step_ms, now_ms);
}

static int refill_lane(const struct dispatch_refill *refill, enum dispatch_lane lane,
		       int64_t time_ms, int64_t now_ms) {
	int64_t until_ms = refill->monotonic_ms() + time_ms;
	int64_t endpoints_max = REFILL_ENDPOINTS_MAX * time_ms / REFILL_MS;
	bool has_time = true;
	int r = 0;

	for (int64_t n = 0; r == 0 && has_time && n < endpoints_max; n++) {
		struct dispatch_endpoint *endpoint =
		    dispatch_endpoints_first_due(refill->health->endpoints, lane);

		if (!endpoint || endpoint->due.key > now_ms)
			break;
		r = refill_endpoint(refill, endpoint, now_ms);
		has_time = refill->monotonic_ms() < until_ms;
	}
	return r;
}

/* Else the delivery threads run dry beside a backlog, where turns follow each other at once. */
static int64_t time_of(const struct dispatch_refill *refill, enum dispatch_lane lane) {
	int64_t passed_ms = refill->monotonic_ms() - refill->ended_ms;
	int64_t most_ms = lane == DISPATCH_LANE_PROMPT ? REFILL_PROMPT_MAX_MS : REFILL_MS;

	return MIN(MAX(passed_ms, (int64_t)REFILL_MS), most_ms);
}

int dispatch_refill_run(struct dispatch_refill *refill, int64_t now_ms) {
	int r = 0;

	notice_clock_step(refill, now_ms);
	for (enum dispatch_lane lane = 0; lane < DISPATCH_LANE_COUNT && r == 0; lane++)
		r = refill_lane(refill, lane, time_of(refill, lane), now_ms);
	refill->ended_ms = refill->monotonic_ms();
	return r;
}

int64_t dispatch_refill_next_ms(const struct dispatch_refill *refill) {
	int64_t next_ms = DISPATCH_NEVER;

	for (int lane = 0; lane < DISPATCH_LANE_COUNT; lane++) {
		const struct dispatch_endpoint *first = dispatch_endpoints_first_due(
		    refill->health->endpoints, (enum dispatch_lane)lane);

		next_ms = first ? MIN(next_ms, first->due.key) : next_ms;
	}
	return next_ms;
}
