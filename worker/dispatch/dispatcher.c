#include "dispatch/dispatcher.h"

#include "base/invariant.h"
#include "dispatch/refill.h"

struct dispatcher {
	struct engine *engine;                 /* borrowed */
	struct dispatch_metrics *metrics;      /* borrowed */
	struct tenant_pending *tenant_pending; /* borrowed */
	struct dispatch_endpoints endpoints;
	struct dispatch_outstanding outstanding;
	struct dispatch_health health;
	struct dispatch_refill refill;
};

struct dispatcher *dispatcher_new(const struct dispatcher_settings *settings, int64_t now_ms) {
	const struct config *config = settings->config;
	struct dispatcher *d = x_calloc(1, sizeof(*d));

	d->engine = settings->engine;
	d->metrics = settings->metrics;
	d->tenant_pending = settings->tenant_pending;
	dispatch_endpoints_init(&d->endpoints, (size_t)config->delivery_max_in_flight,
				(size_t)config->delivery_max_in_flight_per_endpoint);
	dispatch_outstanding_init(&d->outstanding, &d->endpoints);
	d->health = (struct dispatch_health){
		.endpoints = &d->endpoints,
		.breaker = { config->delivery_breaker_failures,
			     config->delivery_breaker_probe_interval_ms },
		.notify_after_ms = config->endpoint_failing_notify_after_ms,
		.disable_after_ms = config->endpoint_disable_after_ms,
	};
	d->refill = (struct dispatch_refill){
		.health = &d->health,
		.outstanding = &d->outstanding,
		.master_keys = settings->master_keys,
		.retry = { config->delivery_retry_schedule_ms, config->delivery_retry_count,
			   config->delivery_retry_jitter },
		.monotonic_ms = settings->monotonic_ms,
	};
	dispatch_refill_init(&d->refill, now_ms);
	return d;
}

void dispatcher_free(struct dispatcher *d) {
	if (!d)
		return;
	dispatch_refill_destroy(&d->refill);
	dispatch_outstanding_destroy(&d->outstanding);
	dispatch_endpoints_destroy(&d->endpoints);
	free(d);
}

void dispatcher_set_replica(struct dispatcher *d, struct replica *replica) {
	d->refill.replica = replica;
}

/* Partitions. */

struct backlog_walk {
	struct dispatcher *dispatcher;
	struct dispatch_partition partition;
	int64_t now_ms, latest_ms, count;
};

/* A webhook whose deliveries wait for later may be deleted or disabled: they have to be cancelled
 * now, so it is rescanned. */
static int add_backlog(void *userdata, const struct uuid *webhook_id, const char *tenant_id,
		       int64_t next_due_ms, int64_t count) {
	struct backlog_walk *walk = userdata;
	struct dispatcher *d = walk->dispatcher;
	struct dispatch_endpoint *endpoint =
	    dispatch_endpoint_get(&d->endpoints, walk->partition, webhook_id);

	endpoint->clock_ahead_until_ms = MAX(endpoint->clock_ahead_until_ms, walk->latest_ms);
	endpoint->next_due_ms =
	    next_due_ms > walk->now_ms ? DISPATCH_RESCAN : MIN(endpoint->next_due_ms, next_due_ms);
	dispatch_endpoint_settle(&d->endpoints, endpoint);
	tenant_pending_add(d->tenant_pending, walk->partition.id, tenant_id, count);
	walk->count += count;
	return 0;
}

int dispatcher_activate(struct dispatcher *d, struct dispatch_partition partition,
			int64_t latest_ms, int64_t now_ms, int64_t *pending) {
	struct backlog_walk walk = {
		.dispatcher = d,
		.partition = partition,
		.now_ms = now_ms,
		.latest_ms = latest_ms > now_ms + DISPATCH_CLOCK_STEP_MS ? latest_ms : 0,
	};
	int r;

	invariant_with(partition.epoch != 0, "a partition is activated with its epoch (R5)",
		       "partition=%d", partition.id);
	tenant_pending_forget(d->tenant_pending, partition.id);
	r = replica_backlog(d->refill.replica, partition.id, add_backlog, &walk);
	if (r < 0)
		return r;
	*pending = walk.count;
	engine_gate_set(d->engine, partition.id, partition.epoch);
	return 0;
}

void dispatcher_suspend(struct dispatcher *d, int32_t partition_id) {
	engine_gate_set(d->engine, partition_id, 0);
	for (struct dispatch_endpoint *e = d->endpoints.by_id; e; e = e->hh.next)
		if (e->partition.id == partition_id)
			dispatch_endpoint_suspend(&d->endpoints, e);
}

void dispatcher_forget(struct dispatcher *d, int32_t partition_id) {
	struct dispatch_endpoint *endpoint, *next;

	dispatch_outstanding_forget(&d->outstanding, partition_id);
	tenant_pending_forget(d->tenant_pending, partition_id);
	HASH_ITER(hh, d->endpoints.by_id, endpoint, next)
	if (endpoint->partition.id == partition_id)
		dispatch_endpoint_free(&d->endpoints, endpoint);
}

/* Commits. */

/* Whether it is the delivery's turn: not past others that are due before it. One that is asked for
 * has its turn now; while the endpoint is held, one at a time. */
static bool has_turn(const struct dispatch_endpoint *endpoint, bool is_asked_for, int64_t now_ms) {
	if (!is_asked_for)
		return endpoint->next_due_ms > now_ms &&
		       dispatch_endpoint_is_open(endpoint, now_ms);
	return !endpoint->breaker.is_gone &&
	       (endpoint->load.count == 0 || dispatch_endpoint_is_open(endpoint, now_ms));
}

/* Whether the delivery may go to the engine at once. */
static bool may_be_chosen(const struct dispatcher *d, const struct dispatch_endpoint *endpoint,
			  const struct dispatch_added *added, int64_t now_ms) {
	return endpoint->route && !endpoint->cancel_reason &&
	       has_turn(endpoint, added->is_asked_for, now_ms) &&
	       dispatch_endpoint_has_room(&d->endpoints, endpoint) &&
	       (!endpoint->rate_limit ||
		dispatch_endpoint_allowance(endpoint, d->refill.monotonic_ms()) > 0) &&
	       !dispatch_outstanding_has(&d->outstanding, &added->delivery.id);
}

void dispatcher_add_delivery(struct dispatcher *d, const struct dispatch_added *added,
			     int64_t now_ms) {
	const struct delivery *delivery = &added->delivery;
	struct dispatch_endpoint *endpoint =
	    dispatch_endpoint_get(&d->endpoints, added->partition, &delivery->webhook_id);
	int64_t due_ms = dispatch_refill_due_ms(&d->refill, endpoint, delivery, now_ms);

	if (added->is_whole && due_ms <= now_ms && may_be_chosen(d, endpoint, added, now_ms)) {
		if (endpoint->rate_limit)
			dispatch_endpoint_pace(endpoint, d->refill.monotonic_ms());
		dispatch_outstanding_add(&d->outstanding, endpoint, delivery);
	} else if (due_ms > now_ms && !endpoint->route) {
		/* A failed attempt of a webhook that changed meanwhile: it may be cancelled. */
		endpoint->next_due_ms = DISPATCH_RESCAN;
	} else {
		endpoint->next_due_ms = MIN(endpoint->next_due_ms, due_ms);
	}
	dispatch_endpoint_settle(&d->endpoints, endpoint);
}

static void drop_route(struct dispatcher *d, struct dispatch_endpoint *endpoint) {
	dispatch_endpoint_leave_lists(&d->endpoints, endpoint);
	route_unref(TAKE(endpoint->route));
	if (endpoint->load.count > 0)
		engine_drop_endpoint(d->engine, &endpoint->webhook_id);
	if (endpoint->load.count > 0 || endpoint->next_due_ms != DISPATCH_NEVER)
		endpoint->next_due_ms = DISPATCH_RESCAN;
	dispatch_endpoint_settle(&d->endpoints, endpoint);
}

/* Whether only failingSince changed, which is what its endpoint reported, or what was told of it.
 */
static bool is_same_webhook(const struct dispatch_endpoint *endpoint,
			    const struct webhook *webhook) {
	return webhook && !webhook->disabled && endpoint->route &&
	       webhook->updated_at_ms == endpoint->updated_at_ms &&
	       strcmp(webhook->url, endpoint->route->url) == 0;
}

void dispatcher_update_webhook(struct dispatcher *d, const struct uuid *webhook_id,
			       const struct webhook *webhook) {
	struct dispatch_endpoint *endpoint = dispatch_endpoint_find(&d->endpoints, webhook_id);

	if (!endpoint)
		return;
	if (is_same_webhook(endpoint, webhook)) {
		dispatch_health_note(endpoint, webhook);
		return;
	}
	dispatch_health_reset(&d->health, endpoint);
	drop_route(d, endpoint);
}

static int compare_texts(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void dispatcher_update_keys(struct dispatcher *d, const char **tenant_ids, size_t count) {
	struct dispatch_endpoint *endpoint, *next;

	if (count == 0)
		return;
	qsort(tenant_ids, count, sizeof(*tenant_ids), compare_texts);
	HASH_ITER(hh, d->endpoints.by_id, endpoint, next)
	if (endpoint->route && bsearch(&endpoint->route->tenant_id, tenant_ids, count,
				       sizeof(*tenant_ids), compare_texts))
		drop_route(d, endpoint);
}

/* Whether the attempt says something of the endpoint: one to an earlier url does not. */
static bool is_of_endpoint(const struct dispatch_endpoint *endpoint, const struct job *job) {
	return job->end == JOB_ATTEMPTED &&
	       (!endpoint->route || strcmp(job->route->url, endpoint->route->url) == 0);
}

void dispatcher_return_job(struct dispatcher *d, const struct job *job, int64_t now_ms) {
	struct dispatch_endpoint *endpoint =
	    dispatch_outstanding_remove(&d->outstanding, &job->delivery.id);

	if (!endpoint)
		return;
	if (is_of_endpoint(endpoint, job) && dispatch_health_end_attempt(&d->health, endpoint, job))
		engine_drop_endpoint(d->engine, &endpoint->webhook_id);
	if (job->end == JOB_REFUSED)
		endpoint->next_due_ms = MIN(endpoint->next_due_ms, now_ms);
	if (job->end == JOB_REFUSED && job->hold_ms)
		dispatch_health_hold(&d->health, endpoint, now_ms + job->hold_ms);
	dispatch_endpoint_settle(&d->endpoints, endpoint);
}

static void set_metric(atomic_int *metric, size_t value) {
	atomic_store_explicit(metric, (int)value, memory_order_relaxed);
}

void dispatcher_submit(struct dispatcher *d) {
	struct job *jobs = dispatch_outstanding_take_chosen(&d->outstanding);

	if (jobs)
		engine_submit(d->engine, jobs);
	set_metric(&d->metrics->outstanding, dispatch_outstanding_count(&d->outstanding));
	set_metric(&d->metrics->open_breakers, (size_t)d->endpoints.open_breakers);
	set_metric(&d->metrics->endpoints,
		   HASH_COUNT(d->endpoints.by_id) - d->endpoints.idle_count);
}

/* Refills. */

int dispatcher_refill(struct dispatcher *d, int64_t now_ms) {
	int r = dispatch_refill_run(&d->refill, now_ms);

	dispatcher_submit(d);
	return r;
}

int64_t dispatcher_next_due_ms(const struct dispatcher *d) {
	return dispatch_refill_next_ms(&d->refill);
}

size_t dispatcher_waiting(const struct dispatcher *d) {
	size_t breadth = d->endpoints.lanes.breadth;
	size_t outstanding = dispatch_outstanding_count(&d->outstanding);
	int queued =
	    atomic_load_explicit(&engine_counters(d->engine)->queued, memory_order_relaxed);
	size_t begun = outstanding - MIN((size_t)MAX(queued, 0), outstanding);

	return breadth - MIN(begun, breadth);
}

/* Work for the next transaction. */

int dispatcher_list_cancellations(struct dispatcher *d, struct arena *arena, size_t limit,
				  struct dispatch_cancellation **out, size_t *count) {
	const struct dispatch_cancel cancel = {
		.outstanding = &d->outstanding,
		.replica = d->refill.replica,
		.monotonic_ms = d->refill.monotonic_ms,
	};

	return dispatch_cancel_list(&cancel, arena, limit, out, count);
}

bool dispatcher_has_cancellations(const struct dispatcher *d) {
	return d->endpoints.cancelled;
}

size_t dispatcher_list_reports(const struct dispatcher *d, struct arena *arena, size_t limit,
			       struct dispatch_report **out) {
	return dispatch_health_list_reports(&d->health, arena, limit, out);
}

void dispatcher_end_reports(struct dispatcher *d, size_t count) {
	dispatch_health_end_reports(&d->health, count);
}
