#include "delivery/scheduler.h"

#include "base/invariant.h"
#include "base/log.h"

#include <utlist.h>

enum queue_place { QUEUE_IDLE, QUEUE_READY, QUEUE_AWAITS_HOST, QUEUE_AWAITS_RESOLVER };

struct scheduler_queue {
	struct uuid webhook_id;
	struct route *route; /* counted; that of the newest job */
	struct scheduler_host *host;
	struct job_list jobs;
	int in_flight;
	enum queue_place place;
	enum resolve_state awaits;           /* where it awaits a resolver: in which list */
	struct scheduler_queue *prev, *next; /* in the ring or list that `place` names */
	UT_hash_handle hh;
};

void scheduler_init(struct scheduler *scheduler, int max_per_endpoint, int max_per_host,
		    int max_unresolved) {
	*scheduler = (struct scheduler){
		.max_per_endpoint = max_per_endpoint,
		.max_per_host = max_per_host,
		.max_unresolved = max_unresolved,
	};
}

void scheduler_destroy(struct scheduler *scheduler) {
	invariant_with(!scheduler->queues, "a scheduler ends without jobs", "queues=%u",
		       HASH_COUNT(scheduler->queues));
	scheduler_hosts_destroy(&scheduler->hosts);
}

/* Places of queues. */

static void scheduler_queue_leave(struct scheduler *scheduler, struct scheduler_queue *queue) {
	if (queue->place == QUEUE_READY)
		DL_DELETE(scheduler->ready, queue);
	else if (queue->place == QUEUE_AWAITS_HOST)
		DL_DELETE(queue->host->waiting, queue);
	else if (queue->place == QUEUE_AWAITS_RESOLVER)
		DL_DELETE(scheduler->awaiting_resolver[queue->awaits], queue);
	queue->place = QUEUE_IDLE;
}

static void scheduler_queue_make_ready(struct scheduler *scheduler, struct scheduler_queue *queue) {
	scheduler_queue_leave(scheduler, queue);
	DL_APPEND(scheduler->ready, queue);
	queue->place = QUEUE_READY;
}

static void scheduler_queue_await_host(struct scheduler *scheduler, struct scheduler_queue *queue) {
	scheduler_queue_leave(scheduler, queue);
	DL_APPEND(queue->host->waiting, queue);
	queue->place = QUEUE_AWAITS_HOST;
}

static void scheduler_queue_await_resolver(struct scheduler *scheduler,
					   struct scheduler_queue *queue) {
	scheduler_queue_leave(scheduler, queue);
	queue->awaits = queue->host->state;
	DL_APPEND(scheduler->awaiting_resolver[queue->awaits], queue);
	queue->place = QUEUE_AWAITS_RESOLVER;
}

/* Bounds. */

/* The shares of scheduler.h: 2, 3 or 4 quarters. */
static bool is_resolver_busy(const struct scheduler *scheduler, enum resolve_state state) {
	return scheduler->unresolved >= MAX(scheduler->max_unresolved * (2 + (int)state) / 4, 1);
}

/* One look-up ended: one queue that awaits a resolver may go on, the most promising one. */
static void wake_resolver_waiter(struct scheduler *scheduler) {
	for (int state = RESOLVE_STATE_COUNT - 1; state >= 0; state--) {
		struct scheduler_queue *queue = scheduler->awaiting_resolver[state];

		if (!queue || is_resolver_busy(scheduler, (enum resolve_state)state))
			continue;
		scheduler_queue_make_ready(scheduler, queue);
		return;
	}
}

static bool host_has_room(const struct scheduler *scheduler, const struct scheduler_host *host) {
	int max = host->is_resolved
		      ? scheduler->max_per_host
		      : MIN(scheduler->max_per_host, (int)SCHEDULER_UNRESOLVED_PER_HOST_MAX);

	return host->in_flight < max;
}

/* There may be room on the host, because a job ended or a queue that was ready left: one queue that
 * waits for it may go on. */
static void wake_host_waiter(struct scheduler *scheduler, struct scheduler_host *host) {
	if (host->waiting && host_has_room(scheduler, host))
		scheduler_queue_make_ready(scheduler, host->waiting);
}

/* Queues. */

static void scheduler_queue_free(struct scheduler *scheduler, struct scheduler_queue *queue) {
	HASH_DEL(scheduler->queues, queue);
	scheduler_hosts_put(&scheduler->hosts, queue->host);
	route_unref(queue->route);
	free(queue);
}

/* Puts an idle queue into the ring where it may go on, and frees it when it is empty. */
static void scheduler_queue_settle(struct scheduler *scheduler, struct scheduler_queue *queue) {
	if (queue->place != QUEUE_IDLE)
		return;
	if (!queue->jobs.head && !queue->in_flight)
		scheduler_queue_free(scheduler, queue);
	else if (queue->jobs.head && queue->in_flight < scheduler->max_per_endpoint)
		scheduler_queue_make_ready(scheduler, queue);
}

static struct scheduler_queue *scheduler_queue_new(struct scheduler *scheduler,
						   struct route *route) {
	struct scheduler_queue *queue = x_calloc(1, sizeof(*queue));

	queue->webhook_id = route->webhook_id;
	queue->route = route_ref(route);
	queue->host = scheduler_hosts_get(&scheduler->hosts, route);
	HASH_ADD(hh, scheduler->queues, webhook_id, sizeof(queue->webhook_id), queue);
	return queue;
}

static struct scheduler_queue *scheduler_queue_find(const struct scheduler *scheduler,
						    const struct uuid *webhook_id) {
	struct scheduler_queue *queue;

	HASH_FIND(hh, scheduler->queues, webhook_id, sizeof(*webhook_id), queue);
	return queue;
}

static void scheduler_queue_refuse(struct scheduler *scheduler, struct scheduler_queue *queue,
				   struct job_list *refused) {
	job_list_append(refused, &queue->jobs);
	scheduler_queue_leave(scheduler, queue);
	wake_host_waiter(scheduler, queue->host);
	wake_resolver_waiter(scheduler);
}

/* A new route of the webhook. With another url it is another endpoint, and the jobs that wait for
 * the old one are refused. */
static void scheduler_queue_set_route(struct scheduler *scheduler, struct scheduler_queue *queue,
				      struct route *route, struct job_list *refused) {
	if (strcmp(queue->route->url, route->url)) {
		struct scheduler_host *old = queue->host;

		scheduler_queue_refuse(scheduler, queue, refused);
		queue->host = scheduler_hosts_get(&scheduler->hosts, route);
		scheduler_hosts_put(&scheduler->hosts, old);
	}
	route_unref(queue->route);
	queue->route = route_ref(route);
}

void scheduler_add(struct scheduler *scheduler, struct job *job, struct job_list *refused) {
	struct scheduler_queue *queue = scheduler_queue_find(scheduler, &job->route->webhook_id);

	if (!queue)
		queue = scheduler_queue_new(scheduler, job->route);
	else if (queue->route != job->route)
		scheduler_queue_set_route(scheduler, queue, job->route, refused);
	job_list_push(&queue->jobs, job);
	scheduler_queue_settle(scheduler, queue);
}

void scheduler_drop(struct scheduler *scheduler, const struct uuid *webhook_id,
		    struct job_list *refused) {
	struct scheduler_queue *queue = scheduler_queue_find(scheduler, webhook_id);

	if (!queue)
		return;
	scheduler_queue_refuse(scheduler, queue, refused);
	scheduler_queue_settle(scheduler, queue);
}

void scheduler_sweep(struct scheduler *scheduler,
		     bool (*keep)(const struct job *job, void *userdata), void *userdata,
		     struct job_list *refused) {
	struct scheduler_queue *queue, *next;
	struct job *job;

	HASH_ITER(hh, scheduler->queues, queue, next) {
		struct job_list old = { 0 };

		job_list_append(&old, &queue->jobs);
		while ((job = job_list_pop(&old)))
			job_list_push(keep && keep(job, userdata) ? &queue->jobs : refused, job);
		if (queue->jobs.head)
			continue;
		scheduler_queue_refuse(scheduler, queue, refused);
		scheduler_queue_settle(scheduler, queue);
	}
}

size_t scheduler_queue_count(const struct scheduler *scheduler) {
	return HASH_COUNT(scheduler->queues);
}

/* Claims. */

bool scheduler_has_ready(const struct scheduler *scheduler) {
	return scheduler->ready;
}

bool scheduler_next(struct scheduler *scheduler, struct scheduler_claim *out) {
	struct scheduler_queue *queue;

	while ((queue = scheduler->ready)) {
		struct scheduler_host *host = queue->host;

		if (!host_has_room(scheduler, host)) {
			scheduler_queue_await_host(scheduler, queue);
			continue;
		}
		if (!host->is_resolved && is_resolver_busy(scheduler, host->state)) {
			scheduler_queue_await_resolver(scheduler, queue);
			continue;
		}
		*out = (struct scheduler_claim){ .job = job_list_pop(&queue->jobs),
						 .queue = queue,
						 .host = host };
		queue->in_flight++;
		host->in_flight++;
		scheduler->unresolved += !host->is_resolved;
		scheduler_queue_leave(scheduler, queue);
		scheduler_queue_settle(scheduler, queue);
		wake_resolver_waiter(scheduler);
		return true;
	}
	return false;
}

/* A count of claims that goes below zero would open a bound for good. */
static bool is_counted(const struct scheduler *scheduler, const struct scheduler_claim *claim) {
	return claim->host->in_flight > 0 && claim->queue->in_flight > 0 &&
	       (claim->host->is_resolved || scheduler->unresolved > 0);
}

void scheduler_release(struct scheduler *scheduler, const struct scheduler_claim *claim) {
	invariant_with(is_counted(scheduler, claim), "a claim that is released was counted",
		       "host=%s of_host=%d of_queue=%d unresolved=%d", log_quote(claim->host->key),
		       claim->host->in_flight, claim->queue->in_flight, scheduler->unresolved);
	claim->host->in_flight--;
	claim->queue->in_flight--;
	scheduler->unresolved -= !claim->host->is_resolved;
	wake_resolver_waiter(scheduler);
	wake_host_waiter(scheduler, claim->host);
	/* The queue may lead to another host by now, so that nothing else releases this one. */
	if (claim->host != claim->queue->host)
		scheduler_hosts_release_unused(&scheduler->hosts, claim->host);
	scheduler_queue_settle(scheduler, claim->queue);
}

/* What transfers find out about hosts. */

void scheduler_host_resolved(struct scheduler *scheduler, struct scheduler_host *host) {
	if (host->is_resolved)
		return;
	host->is_resolved = true;
	scheduler->unresolved -= host->in_flight;
	while (host->waiting)
		scheduler_queue_make_ready(scheduler, host->waiting);
	wake_resolver_waiter(scheduler);
}

void scheduler_host_resolve_failed(struct scheduler *scheduler, struct scheduler_host *host) {
	host->state = RESOLVE_FAILED;
	if (!host->is_resolved)
		return;
	host->is_resolved = false;
	scheduler->unresolved += host->in_flight;
}

void scheduler_host_renew_connections(struct scheduler_host *host, int64_t at_us,
				      int64_t pause_us) {
	if (!host->connections_since_us || at_us - host->connections_since_us >= pause_us)
		host->connections_since_us = at_us;
}
