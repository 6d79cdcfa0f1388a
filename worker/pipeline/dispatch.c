#include "pipeline/dispatch.h"

#include "base/clock.h"
#include "pipeline/dispatch_internal.h"

struct dispatch *dispatch_new(const struct dispatch_settings *settings) {
	const struct config *config = settings->config;
	struct dispatch *d = x_calloc(1, sizeof(*d));

	*d = (struct dispatch){
		.settings = *settings,
		.retry = { config->delivery_retry_schedule_ms, config->delivery_retry_count,
			   config->delivery_retry_jitter },
		.breaker = { config->delivery_breaker_failures,
			     config->delivery_breaker_probe_interval_ms },
		.arena = arena_new(),
		.clock_ahead_ms = clock_wall_ms() - clock_monotonic_ms(),
	};
	d->batch_end = &d->batch;
	lanes_init(d);
	return d;
}

void dispatch_set_replica(struct dispatch *d, struct replica *replica) {
	d->replica = replica;
}

void dispatch_submit(struct dispatch *d) {
	struct job *jobs = TAKE(d->batch);

	d->batch_end = &d->batch;
	if (jobs)
		engine_submit(d->settings.engine, jobs);
	atomic_store_explicit(&d->settings.metrics->outstanding, (int)HASH_COUNT(d->outstanding),
			      memory_order_relaxed);
	atomic_store_explicit(&d->settings.metrics->open_breakers, d->open_breakers,
			      memory_order_relaxed);
	atomic_store_explicit(&d->settings.metrics->endpoints,
			      (int)(HASH_COUNT(d->endpoints) - d->idle_count),
			      memory_order_relaxed);
}

void dispatch_free(struct dispatch *d) {
	struct endpoint *endpoint, *next;

	if (!d)
		return;
	HASH_ITER(hh, d->endpoints, endpoint, next) {
		outstanding_forget(d, endpoint->partition);
		endpoint_free(d, endpoint);
	}
	while (d->batch) {
		struct job *job = d->batch;

		d->batch = job->next;
		job_free(job);
	}
	for (int lane = 0; lane < LANE_COUNT; lane++)
		heap_destroy(&d->due[lane]);
	arena_free(d->arena);
	free(d);
}

/* What the pipeline tells. */

struct backlog {
	struct dispatch *dispatch;
	const struct partition *partition;
	int64_t now_ms, count;
};

static int add_backlog(void *userdata, const struct uuid *webhook_id, const char *tenant_id,
		       int64_t next_due_ms, int64_t count) {
	struct backlog *b = userdata;
	struct endpoint *endpoint = endpoint_get(b->dispatch, b->partition, webhook_id);

	/* What waits for later may be of a webhook that is gone or disabled, and has to end now. */
	endpoint->next_due_ms =
	    next_due_ms > b->now_ms ? LOOK : MIN(endpoint->next_due_ms, next_due_ms);
	endpoint_settle(b->dispatch, endpoint);
	tenant_pending_add(b->dispatch->settings.tenant_pending, b->partition->id, tenant_id,
			   count);
	b->count += count;
	return 0;
}

int dispatch_activate(struct dispatch *d, const struct partition *partition) {
	struct backlog backlog = { .dispatch = d,
				   .partition = partition,
				   .now_ms = clock_wall_ms() };
	int r;

	tenant_pending_forget(d->settings.tenant_pending, partition->id);
	r = replica_backlog(d->replica, partition->id, add_backlog, &backlog);
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
		heap_remove(&d->due[endpoint->lane], &endpoint->due);
		endpoint_leave_reports(d, endpoint);
		if (endpoint->withdrawn) {
			endpoint_leave_lists(d, endpoint);
			endpoint->next_due_ms = LOOK; /* should the partition come back */
		}
	}
}

void dispatch_forget(struct dispatch *d, const struct partition *partition) {
	struct endpoint *endpoint, *next;

	outstanding_forget(d, partition->id);
	tenant_pending_forget(d->settings.tenant_pending, partition->id);
	HASH_ITER(hh, d->endpoints, endpoint, next)
	if (endpoint->partition == partition->id)
		endpoint_free(d, endpoint);
}

void dispatch_delivery(struct dispatch *d, const struct partition *partition,
		       const struct delivery *delivery, bool is_whole) {
	int64_t now_ms = clock_wall_ms(), at_ms = retry_due_ms(&d->retry, delivery, now_ms);
	struct endpoint *endpoint = endpoint_get(d, partition, &delivery->webhook_id);
	bool behind_others = endpoint->next_due_ms <= now_ms;

	if (is_whole && at_ms <= now_ms && endpoint->route && !endpoint->withdrawn &&
	    !behind_others && endpoint_is_open(endpoint, now_ms) &&
	    outstanding_has_room(d, endpoint) && !outstanding_has(d, &delivery->id))
		outstanding_add(d, endpoint, delivery);
	else if (at_ms > now_ms && !endpoint->route)
		endpoint->next_due_ms = LOOK; /* a failed attempt of a webhook that changed
						 meanwhile: it may have to end */
	else
		endpoint->next_due_ms = MIN(endpoint->next_due_ms, at_ms);
	endpoint_settle(d, endpoint);
}

static void route_changed(struct dispatch *d, struct endpoint *endpoint) {
	endpoint_leave_lists(d, endpoint);
	route_unref(endpoint->route);
	endpoint->route = NULL;
	if (endpoint->outstanding > 0)
		engine_drop_endpoint(d->settings.engine, &endpoint->webhook_id);
	/* What waits for a later attempt may have to end now: look at once. */
	if (endpoint->outstanding > 0 || endpoint->next_due_ms != NEVER)
		endpoint->next_due_ms = LOOK;
	endpoint_settle(d, endpoint);
}

/* Nobody changed it: it was only told how its endpoint is. */
static bool is_same_webhook(const struct endpoint *endpoint, const struct webhook *webhook) {
	return webhook && !webhook->disabled && endpoint->route &&
	       webhook->updated_at_ms == endpoint->updated_at_ms &&
	       strcmp(webhook->url, endpoint->route->url) == 0;
}

void dispatch_webhook_changed(struct dispatch *d, const struct uuid *webhook_id,
			      const struct webhook *webhook) {
	struct endpoint *endpoint = endpoint_find(d, webhook_id);

	if (!endpoint)
		return;
	if (is_same_webhook(endpoint, webhook)) {
		endpoint->recorded_failing_ms = webhook->failing_since_ms;
		return;
	}
	endpoint_reset_health(d, endpoint);
	route_changed(d, endpoint);
}

static int compare_texts(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void dispatch_keys_changed(struct dispatch *d, const char **tenant_ids, size_t count) {
	struct endpoint *endpoint, *next;

	if (count == 0)
		return;
	qsort(tenant_ids, count, sizeof(*tenant_ids), compare_texts);
	HASH_ITER(hh, d->endpoints, endpoint, next)
	if (endpoint->route && bsearch(&endpoint->route->tenant_id, tenant_ids, count,
				       sizeof(*tenant_ids), compare_texts))
		route_changed(d, endpoint);
}

void dispatch_returned(struct dispatch *d, const struct job *job) {
	struct endpoint *endpoint = outstanding_remove(d, &job->delivery.id);

	if (!endpoint)
		return;
	/* What the old url answered says nothing of the new one. */
	if (job->end == JOB_ATTEMPTED &&
	    (!endpoint->route || strcmp(job->route->url, endpoint->route->url) == 0))
		endpoint_attempted(d, endpoint, job);
	if (job->end == JOB_REFUSED)
		endpoint->next_due_ms = MIN(endpoint->next_due_ms, clock_wall_ms());
	endpoint_settle(d, endpoint);
}
