/* From the replica into memory: routes, windows, and what has to end because its webhook is gone.
 */
#include "base/clock.h"
#include "pipeline/dispatch_internal.h"

#include <utlist.h>

enum {
	REFILL_MAX = 256,    /* endpoints of a lane looked at between two turns */
	REFILL_MS = 10,      /* of a lane between two turns, and the endpoint that it ends with */
	WITHDRAWALS_MS = 50, /* of reading them: their bodies make the walk long */
	KEY_MISMATCH_RETRY_MS = 60 * 1000,
	CLOCK_STEP_MS = 1000,               /* what is less may be a slow machine's */
	REFILL_BYTES_MAX = 8 * 1024 * 1024, /* read for an endpoint at a time: a window of the
					       largest bodies is half a gibibyte */
};

/* Routes: where an endpoint's callbacks go, and who signs them. */

/* NULL (logged) when no master key derives it: then its record is not what was written once, for a
 * worker without its master key does not start. */
static struct signer *derive_signer(const struct dispatch *d, const struct signing_key *key) {
	const struct master_key *master =
	    master_keys_find(d->settings.master_keys, key->master_key_id);
	_cleanup_(signer_unrefp) struct signer *signer =
	    master ? signer_derive(master, key->tenant_id, key->epoch) : NULL;

	if (signer && strcmp(signer_kid(signer), key->kid) == 0)
		return TAKE(signer);
	log_error("the tenant's signing key cannot be derived", "tenant=%s kid=%s master_key=%s",
		  log_quote(key->tenant_id), key->kid, key->master_key_id);
	return NULL;
}

/* The signer of the tenant's newest key, or NULL (logged). */
static struct signer *load_signer(struct dispatch *d, const char *tenant_id, int *error) {
	const struct registry *registry = replica_registry(d->replica);
	struct signing_key newest;
	int r = registry->signing_key_newest(registry->userdata, d->arena, tenant_id, &newest);

	*error = MIN(r, 0);
	if (r == REGISTRY_E_NOT_FOUND)
		log_error("tenant has no signing key", "tenant=%s", log_quote(tenant_id));
	return r == 0 ? derive_signer(d, &newest) : NULL;
}

/*
 * Makes the endpoint's route, unless its webhook is gone or disabled: then it is withdrawn. Returns
 * 0 (look at `route`), or a negative errno.
 */
static int load_route(struct dispatch *d, struct endpoint *endpoint, const char *tenant_id,
		      int64_t now_ms) {
	const struct registry *registry = replica_registry(d->replica);
	_cleanup_(signer_unrefp) struct signer *signer = NULL;
	struct webhook webhook;
	int r;

	if (endpoint->route)
		return 0;
	r = registry->webhook_get(registry->userdata, d->arena, tenant_id, &endpoint->webhook_id,
				  &webhook);
	if (r < 0)
		return r;
	if (r == REGISTRY_E_NOT_FOUND || webhook.disabled) {
		endpoint_withdraw(d, endpoint,
				  r == REGISTRY_E_NOT_FOUND ? "webhook-deleted"
							    : "webhook-disabled");
		return 0;
	}
	endpoint_recall_health(d, endpoint, &webhook);
	signer = load_signer(d, tenant_id, &r);
	if (signer)
		endpoint->route = route_new(&endpoint->webhook_id, tenant_id, webhook.url, signer);
	else
		endpoint->next_due_ms = now_ms + KEY_MISMATCH_RETRY_MS;
	return r;
}

/* Filling the windows. */

/* Puts what is not in memory yet into the batch, as far as there is room. Returns whether all of it
 * found room. */
static bool enqueue_all(struct dispatch *d, struct endpoint *endpoint,
			const struct delivery *deliveries, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (outstanding_has(d, &deliveries[i].id))
			continue;
		if (!outstanding_has_room(d, endpoint))
			return false;
		outstanding_add(d, endpoint, &deliveries[i]);
	}
	return true;
}

/* When the endpoint is to be looked at again, once everything that is due after `after_ms` is what
 * the replica alone holds. */
static int schedule(struct dispatch *d, struct endpoint *endpoint, int64_t after_ms,
		    int64_t now_ms) {
	struct delivery next;
	int r = replica_next_pending(d->replica, d->arena, &endpoint->webhook_id, after_ms, &next);

	if (r < 0)
		return r;
	endpoint->next_due_ms = r == REPLICA_E_NOT_FOUND
				    ? NEVER
				    : MAX(retry_due_ms(&d->retry, &next, now_ms), LOOK + 1);
	return 0;
}

/* The webhook changed: whatever waits, now or later, is for the new route or is withdrawn. */
static int look(struct dispatch *d, struct endpoint *endpoint, int64_t now_ms) {
	struct delivery *deliveries;
	size_t count;
	int r = replica_pending(d->replica, d->arena, &endpoint->webhook_id, INT64_MAX,
				(struct delivery_bounds){ 1, SIZE_MAX }, &deliveries, &count);

	if (r >= 0)
		r = schedule(d, endpoint, -1, now_ms);
	if (r == 0 && count > 0)
		r = load_route(d, endpoint, deliveries[0].tenant_id, now_ms);
	return r;
}

/*
 * Those that are due; where none is, those that are only because a clock stood elsewhere when they
 * were put off (R10). Returns REPLICA_E_MORE where there may be more.
 */
static int take_due(struct dispatch *d, const struct endpoint *endpoint, int64_t now_ms,
		    struct delivery **out, size_t *count) {
	const struct delivery_bounds bounds = { (size_t)endpoint_window(d, endpoint),
						REFILL_BYTES_MAX };
	size_t found;
	int r = replica_pending(d->replica, d->arena, &endpoint->webhook_id, now_ms, bounds, out,
				count);

	if (r < 0 || *count > 0)
		return r;
	r = replica_pending(d->replica, d->arena, &endpoint->webhook_id, INT64_MAX, bounds, out,
			    &found);
	while (r >= 0 && *count < found &&
	       retry_due_ms(&d->retry, &(*out)[*count], now_ms) <= now_ms)
		++*count;
	return r == REPLICA_E_MORE && *count < found ? 0 : r;
}

static int fill(struct dispatch *d, struct endpoint *endpoint, int64_t now_ms) {
	struct delivery *deliveries;
	size_t count;
	int r = take_due(d, endpoint, now_ms, &deliveries, &count);
	bool is_cut = r == REPLICA_E_MORE;

	if (r >= 0 && count > 0)
		r = load_route(d, endpoint, deliveries[0].tenant_id, now_ms);
	if (r < 0 || endpoint->withdrawn || (count > 0 && !endpoint->route))
		return r;
	if (!enqueue_all(d, endpoint, deliveries, count) || is_cut) {
		endpoint->next_due_ms = now_ms;
		return 0;
	}
	return schedule(d, endpoint,
			count > 0 ? MAX(deliveries[count - 1].next_attempt_at_ms, now_ms) : now_ms,
			now_ms);
}

static int refill_endpoint(struct dispatch *d, struct endpoint *endpoint, int64_t now_ms) {
	int r;

	arena_reset(d->arena);
	r = endpoint->next_due_ms == LOOK ? look(d, endpoint, now_ms) : fill(d, endpoint, now_ms);
	if (r == 0)
		endpoint_settle(d, endpoint);
	return r;
}

/* Due times are wall-clock times. When that clock was stepped, what it says of those that wait is
 * asked anew. */
static void notice_clock_step(struct dispatch *d, int64_t now_ms) {
	int64_t ahead_ms = now_ms - clock_monotonic_ms(), step_ms = ahead_ms - d->clock_ahead_ms;

	d->clock_ahead_ms = ahead_ms;
	if (step_ms >= -CLOCK_STEP_MS && step_ms <= CLOCK_STEP_MS)
		return;
	for (struct endpoint *endpoint = d->endpoints; endpoint; endpoint = endpoint->hh.next) {
		if (endpoint->breaker.hold_until_ms)
			endpoint->breaker.hold_until_ms += step_ms;
		if (endpoint->next_due_ms == NEVER || endpoint->withdrawn)
			continue;
		endpoint->next_due_ms = LOOK;
		if (heap_has(&endpoint->due))
			heap_set(&d->due[endpoint->lane], &endpoint->due, LOOK);
	}
}

/* The lane's endpoint whose turn it is; NULL without one. A look needs no room. */
static struct heap_node *first_due(const struct dispatch *d, enum lane lane) {
	struct heap_node *first = heap_first(&d->due[lane]);

	return first && (first->key == LOOK || !lane_is_full(d, lane)) ? first : NULL;
}

static int refill_lane(struct dispatch *d, enum lane lane, int64_t now_ms) {
	int64_t until_ms = clock_monotonic_ms() + REFILL_MS;
	struct heap_node *first;
	bool has_time = true;
	int r = 0;

	for (int n = 0; r == 0 && has_time && n < REFILL_MAX && (first = first_due(d, lane)) &&
			first->key <= now_ms;
	     n++) {
		r = refill_endpoint(d, CONTAINER_OF(first, struct endpoint, due), now_ms);
		has_time = clock_monotonic_ms() < until_ms;
	}
	return r;
}

int dispatch_refill(struct dispatch *d, int64_t now_ms) {
	int r = 0;

	notice_clock_step(d, now_ms);
	for (int lane = 0; lane < LANE_COUNT && r == 0; lane++)
		r = refill_lane(d, lane, now_ms);
	dispatch_submit(d);
	return r;
}

int64_t dispatch_next_due_ms(const struct dispatch *d) {
	int64_t next_ms = NEVER;

	for (int lane = 0; lane < LANE_COUNT; lane++) {
		const struct heap_node *first = first_due(d, lane);

		next_ms = first ? MIN(next_ms, first->key) : next_ms;
	}
	return next_ms;
}

/* Endpoints whose webhook is gone or disabled. */

bool dispatch_has_withdrawals(const struct dispatch *d) {
	return d->withdrawn;
}

/* Ends the withdrawal when the replica holds nothing more of it than what is in flight; that comes
 * back by itself. */
static void withdrawal_done(struct dispatch *d, struct endpoint *endpoint) {
	endpoint_leave_lists(d, endpoint);
	endpoint->next_due_ms = NEVER;
	endpoint_settle(d, endpoint);
}

struct withdrawals {
	const struct dispatch *dispatch;
	const struct endpoint *endpoint;
	struct arena *arena;
	struct withdrawal *items;
	size_t count, limit;
	int64_t until_ms;
};

static bool have_enough(const struct withdrawals *w) {
	return w->count == w->limit || clock_monotonic_ms() >= w->until_ms;
}

/* Ends the walk when there are enough. */
static int add_withdrawal(void *userdata, const struct delivery *delivery) {
	struct withdrawals *w = userdata;

	if (!outstanding_has(w->dispatch, &delivery->id))
		w->items[w->count++] =
		    (struct withdrawal){ delivery_copy_without_body(w->arena, delivery),
					 w->endpoint->partition, w->endpoint->withdrawn };
	return have_enough(w);
}

int dispatch_withdrawals(struct dispatch *d, struct arena *arena, size_t limit,
			 struct withdrawal **out, size_t *count) {
	struct withdrawals w = {
		.dispatch = d,
		.arena = arena,
		.items = arena_alloc(arena, limit * sizeof(**out)),
		.limit = limit,
		.until_ms = clock_monotonic_ms() + WITHDRAWALS_MS,
	};
	struct endpoint *endpoint, *next;
	int r = 0;

	DL_FOREACH_SAFE(d->withdrawn, endpoint, next) {
		size_t before = w.count;

		w.endpoint = endpoint;
		r = replica_walk_pending(d->replica, &endpoint->webhook_id, add_withdrawal, &w);
		if (r)
			break;
		if (w.count == before)
			withdrawal_done(d, endpoint);
		if (have_enough(&w))
			break;
	}
	*out = w.items;
	*count = w.count;
	return MIN(r, 0);
}
