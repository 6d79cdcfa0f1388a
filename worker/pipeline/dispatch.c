#include "pipeline/dispatch.h"

#include "base/clock.h"
#include "base/heap.h"

#include <errno.h>
#include <uthash.h>
#include <utlist.h>

enum {
	OUTSTANDING_PER_IN_FLIGHT = 4,        /* deliveries in memory for each that may be in flight, over all endpoints */
	OUTSTANDING_BYTES_MAX = 64 * 1024 * 1024,
	REFILL_MAX = 256,                     /* endpoints looked at between two turns */
	WINDOW_MAX = 2048,                    /* of an endpoint that keeps succeeding */
	IDLE_ENDPOINTS_MAX = 16384,           /* kept for their route: deriving a key costs more than a delivery */
	KEY_MISMATCH_RETRY_MS = 60 * 1000,
};

static const int64_t NEVER = INT64_MAX;
static const int64_t LOOK = 0; /* due at once, because the webhook may have changed */

struct endpoint {
	struct uuid webhook_id;
	int32_t partition;
	uint32_t epoch;
	struct route *route;      /* counted; NULL until it is needed, and after the webhook changed */
	int outstanding;          /* deliveries in memory */
	int window;               /* how many may be */
	int streak;               /* successes since the window last changed */
	int64_t next_due_ms;      /* wall: the earliest in the replica that is not in memory; NEVER: none */
	const char *withdrawn;    /* NULL, or why its deliveries are to end */
	bool idle;                /* on the idle list */
	struct heap_node due;     /* in the heap while the replica has something for it and the window has room */
	struct endpoint *prev, *next; /* of the idle list or of the withdrawn list */
	UT_hash_handle hh;
};

struct outstanding {
	struct uuid id;
	struct endpoint *endpoint;
	size_t bytes;
	UT_hash_handle hh;
};

struct dispatch {
	struct dispatch_settings settings;
	struct retry_policy retry;
	struct replica *replica;
	struct endpoint *endpoints;
	struct endpoint *idle; /* oldest first */
	size_t idle_count;
	struct endpoint *withdrawn;
	struct heap due;
	struct outstanding *outstanding;
	size_t outstanding_bytes, outstanding_max;
	struct job *batch, **batch_end; /* chosen, not yet handed over */
	struct arena *arena;
};

struct dispatch *dispatch_new(const struct dispatch_settings *settings) {
	const struct config *config = settings->config;
	struct dispatch *d = x_calloc(1, sizeof(*d));

	*d = (struct dispatch){
		.settings = *settings,
		.retry = { config->delivery_retry_schedule_ms, config->delivery_retry_count, config->delivery_retry_jitter },
		.outstanding_max = (size_t)config->delivery_max_in_flight * OUTSTANDING_PER_IN_FLIGHT,
		.arena = arena_new(),
	};
	d->batch_end = &d->batch;
	return d;
}

void dispatch_set_replica(struct dispatch *d, struct replica *replica) {
	d->replica = replica;
}

/* Endpoints: made when a delivery needs them, kept a while when idle. */

static void leave_lists(struct dispatch *d, struct endpoint *endpoint) {
	if (endpoint->idle) {
		DL_DELETE(d->idle, endpoint);
		d->idle_count--;
		endpoint->idle = false;
	}
	if (endpoint->withdrawn) {
		DL_DELETE(d->withdrawn, endpoint);
		endpoint->withdrawn = NULL;
	}
}

static void endpoint_free(struct dispatch *d, struct endpoint *endpoint) {
	leave_lists(d, endpoint);
	heap_remove(&d->due, &endpoint->due);
	HASH_DEL(d->endpoints, endpoint);
	route_unref(endpoint->route);
	free(endpoint);
}

static struct endpoint *endpoint_find(struct dispatch *d, const struct uuid *webhook_id) {
	struct endpoint *endpoint;

	HASH_FIND(hh, d->endpoints, webhook_id, sizeof(*webhook_id), endpoint);
	return endpoint;
}

static struct endpoint *endpoint_get(struct dispatch *d, const struct partition *partition, const struct uuid *webhook_id) {
	struct endpoint *endpoint = endpoint_find(d, webhook_id);

	if (!endpoint) {
		endpoint = x_calloc(1, sizeof(*endpoint));
		endpoint->webhook_id = *webhook_id;
		endpoint->window = d->settings.config->delivery_max_in_flight_per_endpoint;
		endpoint->next_due_ms = NEVER;
		HASH_ADD(hh, d->endpoints, webhook_id, sizeof(endpoint->webhook_id), endpoint);
	}
	endpoint->partition = partition->id;
	endpoint->epoch = partition->epoch;
	return endpoint;
}

/* Puts the endpoint where its state belongs: into the heap, among the idle ones, or in neither while its window is full. */
static void endpoint_settle(struct dispatch *d, struct endpoint *endpoint) {
	/* A look does not wait for room: what is in flight may take its time, and what has to end should end now. */
	bool has_room = endpoint->next_due_ms == LOOK || endpoint->outstanding <= endpoint->window / 2;

	if (endpoint->withdrawn || endpoint->next_due_ms == NEVER || !has_room)
		heap_remove(&d->due, &endpoint->due);
	else
		heap_set(&d->due, &endpoint->due, endpoint->next_due_ms);

	if (endpoint->withdrawn || endpoint->next_due_ms != NEVER || endpoint->outstanding > 0) {
		if (!endpoint->withdrawn)
			leave_lists(d, endpoint);
	} else if (!endpoint->idle) {
		DL_APPEND(d->idle, endpoint);
		endpoint->idle = true;
		d->idle_count++;
	}
	if (d->idle_count > IDLE_ENDPOINTS_MAX)
		endpoint_free(d, d->idle);
}

static void endpoint_withdraw(struct dispatch *d, struct endpoint *endpoint, const char *reason) {
	leave_lists(d, endpoint);
	endpoint->withdrawn = reason;
	DL_APPEND(d->withdrawn, endpoint);
	endpoint_settle(d, endpoint);
}

/* What is in memory. */

static void forget_outstanding(struct dispatch *d, struct outstanding *outstanding) {
	outstanding->endpoint->outstanding--;
	d->outstanding_bytes -= outstanding->bytes;
	HASH_DEL(d->outstanding, outstanding);
	free(outstanding);
}

static bool is_outstanding(const struct dispatch *d, const struct uuid *id) {
	struct outstanding *found;

	HASH_FIND(hh, d->outstanding, id, sizeof(*id), found);
	return found;
}

static bool is_full(const struct dispatch *d) {
	return HASH_COUNT(d->outstanding) >= d->outstanding_max || d->outstanding_bytes >= OUTSTANDING_BYTES_MAX;
}

static void enqueue(struct dispatch *d, struct endpoint *endpoint, const struct delivery *delivery) {
	struct outstanding *outstanding = x_calloc(1, sizeof(*outstanding));
	struct job *job = job_new(delivery, endpoint->route, endpoint->partition, endpoint->epoch);

	outstanding->id = delivery->id;
	outstanding->endpoint = endpoint;
	outstanding->bytes = sizeof(*job) + delivery->body_len;
	HASH_ADD(hh, d->outstanding, id, sizeof(outstanding->id), outstanding);
	d->outstanding_bytes += outstanding->bytes;
	endpoint->outstanding++;
	*d->batch_end = job;
	d->batch_end = &job->next;
}

void dispatch_submit(struct dispatch *d) {
	struct job *jobs = TAKE(d->batch);

	d->batch_end = &d->batch;
	if (jobs)
		engine_submit(d->settings.engine, jobs);
	atomic_store_explicit(&d->settings.metrics->outstanding, (int)HASH_COUNT(d->outstanding), memory_order_relaxed);
	atomic_store_explicit(&d->settings.metrics->endpoints, (int)(HASH_COUNT(d->endpoints) - d->idle_count), memory_order_relaxed);
}

void dispatch_free(struct dispatch *d) {
	struct outstanding *outstanding, *next_outstanding;
	struct endpoint *endpoint, *next;

	if (!d)
		return;
	HASH_ITER(hh, d->outstanding, outstanding, next_outstanding)
		forget_outstanding(d, outstanding);
	HASH_ITER(hh, d->endpoints, endpoint, next)
		endpoint_free(d, endpoint);
	while (d->batch) {
		struct job *job = d->batch;

		d->batch = job->next;
		job_free(job);
	}
	heap_destroy(&d->due);
	arena_free(d->arena);
	free(d);
}

/* Routes: where an endpoint's callbacks go, and who signs them. */

/* The signer of the tenant's newest key. NULL (logged) when this worker's master key does not derive it. */
static struct signer *load_signer(struct dispatch *d, const char *tenant_id, int *error) {
	const struct registry *registry = replica_registry(d->replica);
	_cleanup_(signer_unrefp) struct signer *signer = NULL;
	struct signing_key *keys;
	size_t count;

	*error = registry->signing_keys(registry->userdata, d->arena, tenant_id, &keys, &count);
	if (*error < 0)
		return NULL;
	if (count == 0) {
		log_error("tenant has no signing key", "tenant=%s", log_quote(tenant_id));
		return NULL;
	}
	signer = signer_derive(d->settings.master_key, tenant_id, keys[0].epoch);
	if (strcmp(signer_kid(signer), keys[0].kid) != 0) {
		log_error("master key does not derive the tenant's signing key", "tenant=%s kid=%s master_key=%s this_master_key=%s",
			  log_quote(tenant_id), keys[0].kid, keys[0].master_key_id, master_key_id(d->settings.master_key));
		return NULL;
	}
	return TAKE(signer);
}

/*
 * Makes the endpoint's route, unless its webhook is gone or disabled: then it is withdrawn. Returns 0 (look at `route`), or a negative errno.
 */
static int load_route(struct dispatch *d, struct endpoint *endpoint, const char *tenant_id, int64_t now_ms) {
	const struct registry *registry = replica_registry(d->replica);
	_cleanup_(signer_unrefp) struct signer *signer = NULL;
	struct webhook webhook;
	int r;

	if (endpoint->route)
		return 0;
	r = registry->webhook_get(registry->userdata, d->arena, tenant_id, &endpoint->webhook_id, &webhook);
	if (r < 0)
		return r;
	if (r == REGISTRY_E_NOT_FOUND || webhook.disabled) {
		endpoint_withdraw(d, endpoint, r == REGISTRY_E_NOT_FOUND ? "webhook-deleted" : "webhook-disabled");
		return 0;
	}
	signer = load_signer(d, tenant_id, &r);
	if (signer)
		endpoint->route = route_new(&endpoint->webhook_id, tenant_id, webhook.url, signer);
	else
		endpoint->next_due_ms = now_ms + KEY_MISMATCH_RETRY_MS;
	return r;
}

/* What the pipeline tells. */

struct backlog {
	struct dispatch *dispatch;
	const struct partition *partition;
	int64_t now_ms, count;
};

static int add_backlog(void *userdata, const struct uuid *webhook_id, int64_t next_due_ms, int64_t count) {
	struct backlog *b = userdata;
	struct endpoint *endpoint = endpoint_get(b->dispatch, b->partition, webhook_id);

	/* What waits for later may be of a webhook that is gone or disabled, and has to end now. */
	endpoint->next_due_ms = next_due_ms > b->now_ms && !endpoint->route ? LOOK : MIN(endpoint->next_due_ms, next_due_ms);
	endpoint_settle(b->dispatch, endpoint);
	b->count += count;
	return 0;
}

int dispatch_activate(struct dispatch *d, const struct partition *partition) {
	struct backlog backlog = { .dispatch = d, .partition = partition, .now_ms = clock_wall_ms() };
	int r = replica_backlog(d->replica, partition->id, add_backlog, &backlog);

	if (r < 0)
		return r;
	atomic_store(&d->settings.metrics->partitions[partition->id].pending, backlog.count);
	engine_gate_set(d->settings.engine, partition->id, partition->epoch);
	return 0;
}

void dispatch_suspend(struct dispatch *d, const struct partition *partition) {
	engine_gate_set(d->settings.engine, partition->id, 0);
	for (struct endpoint *endpoint = d->endpoints; endpoint; endpoint = endpoint->hh.next) {
		if (endpoint->partition != partition->id)
			continue;
		heap_remove(&d->due, &endpoint->due);
		if (endpoint->withdrawn) {
			leave_lists(d, endpoint);
			endpoint->next_due_ms = LOOK; /* should the partition come back */
		}
	}
}

void dispatch_forget(struct dispatch *d, const struct partition *partition) {
	struct outstanding *outstanding, *next_outstanding;
	struct endpoint *endpoint, *next;

	HASH_ITER(hh, d->outstanding, outstanding, next_outstanding)
		if (outstanding->endpoint->partition == partition->id)
			forget_outstanding(d, outstanding);
	HASH_ITER(hh, d->endpoints, endpoint, next)
		if (endpoint->partition == partition->id)
			endpoint_free(d, endpoint);
}

void dispatch_delivery(struct dispatch *d, const struct partition *partition, const struct delivery *delivery) {
	int64_t now_ms = clock_wall_ms(), at_ms = delivery->next_attempt_at_ms;
	struct endpoint *endpoint = endpoint_get(d, partition, &delivery->webhook_id);
	bool behind_others = endpoint->next_due_ms <= now_ms;

	if (at_ms <= now_ms && endpoint->route && !endpoint->withdrawn && !behind_others && endpoint->outstanding < endpoint->window &&
	    !is_full(d) && !is_outstanding(d, &delivery->id))
		enqueue(d, endpoint, delivery);
	else if (at_ms > now_ms && !endpoint->route)
		endpoint->next_due_ms = LOOK; /* a failed attempt of a webhook that changed meanwhile: it may have to end */
	else
		endpoint->next_due_ms = MIN(endpoint->next_due_ms, at_ms);
	endpoint_settle(d, endpoint);
}

static void route_changed(struct dispatch *d, struct endpoint *endpoint) {
	leave_lists(d, endpoint);
	route_unref(endpoint->route);
	endpoint->route = NULL;
	if (endpoint->outstanding > 0)
		engine_drop_endpoint(d->settings.engine, &endpoint->webhook_id);
	/* What waits for a later attempt may have to end now: look at once. */
	if (endpoint->outstanding > 0 || endpoint->next_due_ms != NEVER)
		endpoint->next_due_ms = LOOK;
	endpoint_settle(d, endpoint);
}

void dispatch_webhook_changed(struct dispatch *d, const struct partition *partition _unused_, const struct uuid *webhook_id) {
	struct endpoint *endpoint = endpoint_find(d, webhook_id);

	if (endpoint)
		route_changed(d, endpoint);
}

void dispatch_key_changed(struct dispatch *d, const char *tenant_id) {
	struct endpoint *endpoint, *next;

	HASH_ITER(hh, d->endpoints, endpoint, next)
		if (endpoint->route && strcmp(endpoint->route->tenant_id, tenant_id) == 0)
			route_changed(d, endpoint);
}

/* The window doubles after a windowful of successes and falls back on a failure: only an endpoint that takes them has many in memory. */
static void adapt_window(const struct dispatch *d, struct endpoint *endpoint, const struct job *job) {
	if (job->end != JOB_ATTEMPTED)
		return;
	if (job->result.reason != ATTEMPT_OK) {
		endpoint->window = d->settings.config->delivery_max_in_flight_per_endpoint;
		endpoint->streak = 0;
	} else if (++endpoint->streak >= endpoint->window && endpoint->window < WINDOW_MAX) {
		endpoint->window *= 2;
		endpoint->streak = 0;
	}
}

void dispatch_returned(struct dispatch *d, const struct job *job) {
	struct outstanding *outstanding;
	struct endpoint *endpoint;

	HASH_FIND(hh, d->outstanding, &job->delivery.id, sizeof(job->delivery.id), outstanding);
	if (!outstanding)
		return;
	endpoint = outstanding->endpoint;
	forget_outstanding(d, outstanding);
	adapt_window(d, endpoint, job);
	if (job->end == JOB_REFUSED)
		endpoint->next_due_ms = MIN(endpoint->next_due_ms, clock_wall_ms());
	endpoint_settle(d, endpoint);
}

/* Filling the windows. */

/* A due time that no schedule could have set is of a clock that stood elsewhere, and means now (R10). */
static int64_t due_ms(const struct dispatch *d, int64_t recorded_ms, int64_t now_ms) {
	return retry_clamp_due_ms(&d->retry, recorded_ms, now_ms) < recorded_ms ? now_ms : recorded_ms;
}

/* Puts what is not in memory yet into the batch, as far as there is room. Returns whether all of it found room. */
static bool enqueue_all(struct dispatch *d, struct endpoint *endpoint, const struct delivery *deliveries, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (is_outstanding(d, &deliveries[i].id))
			continue;
		if (endpoint->outstanding >= endpoint->window || is_full(d))
			return false;
		enqueue(d, endpoint, &deliveries[i]);
	}
	return true;
}

/* When the endpoint is to be looked at again, once everything that is due after `after_ms` is what the replica alone holds. */
static int schedule(struct dispatch *d, struct endpoint *endpoint, int64_t after_ms, int64_t now_ms) {
	int r = replica_next_due(d->replica, &endpoint->webhook_id, after_ms, &endpoint->next_due_ms);

	if (r == 0 && endpoint->next_due_ms != NEVER)
		endpoint->next_due_ms = MAX(due_ms(d, endpoint->next_due_ms, now_ms), LOOK + 1);
	return r;
}

/* The webhook changed: whatever waits, now or later, is for the new route or is withdrawn. */
static int look(struct dispatch *d, struct endpoint *endpoint, int64_t now_ms) {
	struct delivery *deliveries;
	size_t count;
	int r = replica_pending(d->replica, d->arena, &endpoint->webhook_id, INT64_MAX, 1, &deliveries, &count);

	if (r == 0)
		r = schedule(d, endpoint, -1, now_ms);
	if (r == 0 && count > 0)
		r = load_route(d, endpoint, deliveries[0].tenant_id, now_ms);
	return r;
}

/* Those that are due; where none is, those that only look as if they were not. */
static int take_due(struct dispatch *d, const struct endpoint *endpoint, int64_t now_ms, size_t limit, struct delivery **out, size_t *count) {
	int64_t next_ms;
	int r = replica_pending(d->replica, d->arena, &endpoint->webhook_id, now_ms, limit, out, count);

	if (r < 0 || *count > 0)
		return r;
	r = replica_next_due(d->replica, &endpoint->webhook_id, now_ms, &next_ms);
	if (r < 0 || next_ms == NEVER || due_ms(d, next_ms, now_ms) > now_ms)
		return r;
	return replica_pending(d->replica, d->arena, &endpoint->webhook_id, INT64_MAX, limit, out, count);
}

static int fill(struct dispatch *d, struct endpoint *endpoint, int64_t now_ms) {
	size_t count, limit = (size_t)endpoint->window;
	struct delivery *deliveries;
	int r = take_due(d, endpoint, now_ms, limit, &deliveries, &count);

	if (r == 0 && count > 0)
		r = load_route(d, endpoint, deliveries[0].tenant_id, now_ms);
	if (r < 0 || endpoint->withdrawn || (count > 0 && !endpoint->route))
		return r;
	if (!enqueue_all(d, endpoint, deliveries, count) || count == limit) {
		endpoint->next_due_ms = now_ms;
		return 0;
	}
	return schedule(d, endpoint, count > 0 ? MAX(deliveries[count - 1].next_attempt_at_ms, now_ms) : now_ms, now_ms);
}

static int refill_endpoint(struct dispatch *d, struct endpoint *endpoint, int64_t now_ms) {
	int r;

	arena_reset(d->arena);
	r = endpoint->next_due_ms == LOOK ? look(d, endpoint, now_ms) : fill(d, endpoint, now_ms);
	if (r == 0)
		endpoint_settle(d, endpoint);
	return r;
}

int dispatch_refill(struct dispatch *d, int64_t now_ms) {
	struct heap_node *first;

	for (int n = 0; n < REFILL_MAX && !is_full(d) && (first = heap_first(&d->due)) && first->key <= now_ms; n++) {
		int r = refill_endpoint(d, CONTAINER_OF(first, struct endpoint, due), now_ms);

		if (r < 0)
			return r;
	}
	dispatch_submit(d);
	return 0;
}

int64_t dispatch_next_due_ms(const struct dispatch *d) {
	const struct heap_node *first = heap_first(&d->due);

	return first && !is_full(d) ? first->key : NEVER;
}

/* Endpoints whose webhook is gone or disabled. */

bool dispatch_has_withdrawals(const struct dispatch *d) {
	return d->withdrawn;
}

/* Ends the withdrawal when the replica holds nothing more of it than what is in flight; that comes back by itself. */
static void withdrawal_done(struct dispatch *d, struct endpoint *endpoint) {
	leave_lists(d, endpoint);
	endpoint->next_due_ms = NEVER;
	endpoint_settle(d, endpoint);
}

int dispatch_withdrawals(struct dispatch *d, struct arena *arena, size_t limit, struct withdrawal **out, size_t *count) {
	struct endpoint *endpoint, *next;

	*out = arena_alloc(arena, limit * sizeof(**out));
	*count = 0;
	DL_FOREACH_SAFE(d->withdrawn, endpoint, next) {
		size_t before = *count, found, want = limit - before + (size_t)endpoint->outstanding;
		struct delivery *deliveries;
		int r;

		if (before == limit)
			return 0;
		r = replica_pending(d->replica, arena, &endpoint->webhook_id, INT64_MAX, want, &deliveries, &found);
		if (r < 0)
			return r;
		for (size_t i = 0; i < found && *count < limit; i++)
			if (!is_outstanding(d, &deliveries[i].id))
				(*out)[(*count)++] = (struct withdrawal){ deliveries[i], endpoint->partition, endpoint->withdrawn };
		if (*count == before)
			withdrawal_done(d, endpoint);
	}
	return 0;
}
