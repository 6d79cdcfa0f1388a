#include "delivery/scheduler.h"

#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
#include <utlist.h>

enum place { PLACE_IDLE, PLACE_READY, PLACE_WAITING, PLACE_CROWDED };

struct endpoint {
	struct uuid webhook_id;
	struct route *route; /* counted; that of the newest job */
	struct host *host;
	struct job_list queue;
	int in_flight;
	enum place place;
	enum standing crowd;          /* where it is CROWDED: in which list */
	struct endpoint *prev, *next; /* in the ring or list that `place` names */
	UT_hash_handle hh;
};

struct host {
	char *key; /* owned */
	int in_flight;
	int endpoints;
	int64_t renewed_us; /* monotonic; 0: never */
	bool reached;
	bool is_remembered; /* it has no jobs */
	enum standing standing;
	struct endpoint *waiting;
	struct host *prev, *next; /* among those remembered */
	UT_hash_handle hh;
};

void scheduler_init(struct scheduler *scheduler, int max_per_endpoint, int max_per_host,
		    int max_unreached) {
	*scheduler = (struct scheduler){
		.max_per_endpoint = max_per_endpoint,
		.max_per_host = max_per_host,
		.max_unreached = max_unreached,
	};
}

static void host_forget(struct scheduler *scheduler, struct host *host) {
	HASH_DEL(scheduler->hosts, host);
	free(host->key);
	free(host);
}

static void host_recall(struct scheduler *scheduler, struct host *host) {
	if (!host->is_remembered)
		return;
	DL_DELETE(scheduler->remembered[host->standing], host);
	scheduler->remembered_count[host->standing]--;
	host->is_remembered = false;
}

static void host_remember(struct scheduler *scheduler, struct host *host) {
	enum standing standing = host->reached ? STANDING_REACHED : host->standing;
	struct host *oldest = scheduler->remembered[standing];

	if (scheduler->remembered_count[standing] == REMEMBERED_HOSTS_MAX) {
		host_recall(scheduler, oldest);
		host_forget(scheduler, oldest);
	}
	DL_APPEND(scheduler->remembered[standing], host);
	scheduler->remembered_count[standing]++;
	host->standing = standing;
	host->is_remembered = true;
	host->reached = false;
}

static void hosts_forget(struct scheduler *scheduler, enum standing standing) {
	struct host *host;

	while ((host = scheduler->remembered[standing])) {
		host_recall(scheduler, host);
		host_forget(scheduler, host);
	}
}

void scheduler_destroy(struct scheduler *scheduler) {
	hosts_forget(scheduler, STANDING_LOST);
	hosts_forget(scheduler, STANDING_REACHED);
	if (scheduler->endpoints || scheduler->hosts)
		abort();
}

static struct host *host_ref(struct scheduler *scheduler, const struct route *route) {
	struct host *host;
	size_t len = strlen(route->host_key);
	unsigned hash = (unsigned)route->host_hash;

	HASH_FIND_BYHASHVALUE(hh, scheduler->hosts, route->host_key, len, hash, host);
	if (!host) {
		host = x_calloc(1, sizeof(*host));
		host->standing = STANDING_UNKNOWN;
		host->key = x_strdup(route->host_key);
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, scheduler->hosts, host->key, len, hash, host);
	}
	host_recall(scheduler, host);
	host->endpoints++;
	return host;
}

static void host_forget_if_unused(struct scheduler *scheduler, struct host *host) {
	if (host->endpoints || host->in_flight)
		return;
	if (host->reached || host->standing != STANDING_UNKNOWN)
		host_remember(scheduler, host);
	else
		host_forget(scheduler, host);
}

static void host_unref(struct scheduler *scheduler, struct host *host) {
	host->endpoints--;
	host_forget_if_unused(scheduler, host);
}

static void endpoint_leave(struct scheduler *scheduler, struct endpoint *endpoint) {
	if (endpoint->place == PLACE_READY)
		DL_DELETE(scheduler->ready, endpoint);
	else if (endpoint->place == PLACE_WAITING)
		DL_DELETE(endpoint->host->waiting, endpoint);
	else if (endpoint->place == PLACE_CROWDED)
		DL_DELETE(scheduler->crowded[endpoint->crowd], endpoint);
	endpoint->place = PLACE_IDLE;
}

static void endpoint_make_ready(struct scheduler *scheduler, struct endpoint *endpoint) {
	endpoint_leave(scheduler, endpoint);
	DL_APPEND(scheduler->ready, endpoint);
	endpoint->place = PLACE_READY;
}

static void endpoint_make_wait(struct scheduler *scheduler, struct endpoint *endpoint) {
	endpoint_leave(scheduler, endpoint);
	DL_APPEND(endpoint->host->waiting, endpoint);
	endpoint->place = PLACE_WAITING;
}

static void endpoint_make_crowded(struct scheduler *scheduler, struct endpoint *endpoint) {
	endpoint_leave(scheduler, endpoint);
	endpoint->crowd = endpoint->host->standing;
	DL_APPEND(scheduler->crowded[endpoint->crowd], endpoint);
	endpoint->place = PLACE_CROWDED;
}

static bool is_crowded(const struct scheduler *scheduler, enum standing standing) {
	return scheduler->unreached >= MAX(scheduler->max_unreached * (2 + (int)standing) / 4, 1);
}

/* Whoever looked for an address and is done passes its place on. */
static void crowd_wake(struct scheduler *scheduler) {
	for (int standing = STANDING_REACHED; standing >= STANDING_LOST; standing--) {
		struct endpoint *endpoint = scheduler->crowded[standing];

		if (!endpoint || is_crowded(scheduler, (enum standing)standing))
			continue;
		endpoint_make_ready(scheduler, endpoint);
		return;
	}
}

static bool host_has_room(const struct scheduler *scheduler, const struct host *host) {
	int max = host->reached ? scheduler->max_per_host
				: MIN(scheduler->max_per_host, (int)UNREACHED_HOST_MAX);

	return host->in_flight < max;
}

/* Whoever leaves room on a host, by ending or by not taking its turn, passes it on to one that
 * waits for it. */
static void host_wake(struct scheduler *scheduler, struct host *host) {
	if (host->waiting && host_has_room(scheduler, host))
		endpoint_make_ready(scheduler, host->waiting);
}

static void endpoint_free(struct scheduler *scheduler, struct endpoint *endpoint) {
	HASH_DEL(scheduler->endpoints, endpoint);
	host_unref(scheduler, endpoint->host);
	route_unref(endpoint->route);
	free(endpoint);
}

/* Puts an endpoint that is on no list where it belongs; forgets it when there is nothing to
 * remember. */
static void endpoint_settle(struct scheduler *scheduler, struct endpoint *endpoint) {
	if (endpoint->place != PLACE_IDLE)
		return;
	if (!endpoint->queue.head && !endpoint->in_flight)
		endpoint_free(scheduler, endpoint);
	else if (endpoint->queue.head && endpoint->in_flight < scheduler->max_per_endpoint)
		endpoint_make_ready(scheduler, endpoint);
}

static struct endpoint *endpoint_new(struct scheduler *scheduler, struct route *route) {
	struct endpoint *endpoint = x_calloc(1, sizeof(*endpoint));

	endpoint->webhook_id = route->webhook_id;
	endpoint->route = route_ref(route);
	endpoint->host = host_ref(scheduler, route);
	HASH_ADD(hh, scheduler->endpoints, webhook_id, sizeof(endpoint->webhook_id), endpoint);
	return endpoint;
}

static struct endpoint *endpoint_find(const struct scheduler *scheduler,
				      const struct uuid *webhook_id) {
	struct endpoint *endpoint;

	HASH_FIND(hh, scheduler->endpoints, webhook_id, sizeof(*webhook_id), endpoint);
	return endpoint;
}

static void endpoint_refuse_queue(struct scheduler *scheduler, struct endpoint *endpoint,
				  struct job_list *refused) {
	job_list_append(refused, &endpoint->queue);
	endpoint_leave(scheduler, endpoint);
	host_wake(scheduler, endpoint->host);
	crowd_wake(scheduler);
}

/* A new route of the webhook. With another url it is another endpoint: what waits for the old one
 * is void. */
static void endpoint_take_route(struct scheduler *scheduler, struct endpoint *endpoint,
				struct route *route, struct job_list *refused) {
	if (strcmp(endpoint->route->url, route->url)) {
		struct host *old = endpoint->host;

		endpoint_refuse_queue(scheduler, endpoint, refused);
		endpoint->host = host_ref(scheduler, route);
		host_unref(scheduler, old);
	}
	route_unref(endpoint->route);
	endpoint->route = route_ref(route);
}

void scheduler_add(struct scheduler *scheduler, struct job *job, struct job_list *refused) {
	struct endpoint *endpoint = endpoint_find(scheduler, &job->route->webhook_id);

	if (!endpoint)
		endpoint = endpoint_new(scheduler, job->route);
	else if (endpoint->route != job->route)
		endpoint_take_route(scheduler, endpoint, job->route, refused);
	job_list_push(&endpoint->queue, job);
	endpoint_settle(scheduler, endpoint);
}

bool scheduler_has_ready(const struct scheduler *scheduler) {
	return scheduler->ready;
}

bool scheduler_next(struct scheduler *scheduler, struct claim *out) {
	struct endpoint *endpoint;

	while ((endpoint = scheduler->ready)) {
		struct host *host = endpoint->host;

		if (!host_has_room(scheduler, host)) {
			endpoint_make_wait(scheduler, endpoint);
			continue;
		}
		if (!host->reached && is_crowded(scheduler, host->standing)) {
			endpoint_make_crowded(scheduler, endpoint);
			continue;
		}
		*out = (struct claim){ .job = job_list_pop(&endpoint->queue),
				       .endpoint = endpoint,
				       .host = host };
		endpoint->in_flight++;
		host->in_flight++;
		scheduler->unreached += !host->reached;
		endpoint_leave(scheduler, endpoint);
		endpoint_settle(scheduler, endpoint);
		crowd_wake(scheduler);
		return true;
	}
	return false;
}

void scheduler_reached(struct scheduler *scheduler, struct host *host) {
	if (host->reached)
		return;
	host->reached = true;
	scheduler->unreached -= host->in_flight;
	while (host->waiting)
		endpoint_make_ready(scheduler, host->waiting);
	crowd_wake(scheduler);
}

void scheduler_renewed(struct host *host, int64_t at_us, int64_t pause_us) {
	if (!host->renewed_us || at_us - host->renewed_us >= pause_us)
		host->renewed_us = at_us;
}

int64_t scheduler_renewed_us(const struct host *host) {
	return host->renewed_us;
}

void scheduler_lost(struct scheduler *scheduler, struct host *host) {
	host->standing = STANDING_LOST;
	if (!host->reached)
		return;
	host->reached = false;
	scheduler->unreached += host->in_flight;
}

void scheduler_release(struct scheduler *scheduler, const struct claim *claim) {
	claim->host->in_flight--;
	claim->endpoint->in_flight--;
	scheduler->unreached -= !claim->host->reached;
	crowd_wake(scheduler);
	host_wake(scheduler, claim->host);
	/* Its endpoint may have moved to another host meanwhile, and nobody else remembers this one
	 * then. */
	if (claim->host != claim->endpoint->host)
		host_forget_if_unused(scheduler, claim->host);
	endpoint_settle(scheduler, claim->endpoint);
}

void scheduler_drop(struct scheduler *scheduler, const struct uuid *webhook_id,
		    struct job_list *refused) {
	struct endpoint *endpoint = endpoint_find(scheduler, webhook_id);

	if (!endpoint)
		return;
	endpoint_refuse_queue(scheduler, endpoint, refused);
	endpoint_settle(scheduler, endpoint);
}

void scheduler_sweep(struct scheduler *scheduler,
		     bool (*keep)(const struct job *job, void *userdata), void *userdata,
		     struct job_list *refused) {
	struct endpoint *endpoint, *next;
	struct job *job;

	HASH_ITER(hh, scheduler->endpoints, endpoint, next) {
		struct job_list old = { 0 };

		job_list_append(&old, &endpoint->queue);
		while ((job = job_list_pop(&old)))
			job_list_push(keep && keep(job, userdata) ? &endpoint->queue : refused,
				      job);
		if (endpoint->queue.head)
			continue;
		endpoint_refuse_queue(scheduler, endpoint, refused);
		endpoint_settle(scheduler, endpoint);
	}
}

size_t scheduler_endpoint_count(const struct scheduler *scheduler) {
	return HASH_COUNT(scheduler->endpoints);
}
