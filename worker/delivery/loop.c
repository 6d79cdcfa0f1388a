#include "delivery/loop.h"

#include "base/clock.h"
#include "base/fault.h"
#include "delivery/descriptors.h"
#include "delivery/transfer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <utlist.h>

enum {
	EVENTS_PER_WAIT = 256,
	BEGINS_PER_TURN = 64,   /* what was begun must not wait long for its events */
	POOLED_TRANSFERS = 256, /* idle easy handles that are kept, some 10 KB each */
	IDLE_WAIT_MS = 60 * 1000,
	LAPSED_WAIT_MS =
	    20, /* between looks at a lease that is over, while something waits for it */
};

struct loop {
	struct shared *shared; /* borrowed */
	int index, count;      /* this thread among all */
	pthread_t thread;
	struct inbox inbox;
	struct sockets sockets;
	struct shard shards[SHARDS_MAX];
	int shard_count;
	uint64_t touched; /* shards that may have results, a bit each */
	struct scheduler scheduler;
	struct transfer *in_flight; /* list */
	struct transfer *pool;      /* list */
	int64_t woke_us;            /* when the last wait ended; monotonic */
	int in_flight_count, in_flight_max, pooled_count;
	struct job_list ended; /* of this turn */
	int ended_in_flight;   /* how many of them had been counted as in flight */
	int connections_max;   /* this thread's share */
	bool sparing;          /* each shard keeps no more than its part of that share */
	bool has_mail, has_more, stopping;
	bool has_lapsed; /* the lease is over, and jobs may be waiting */
	int64_t stop_deadline_us;
};

struct inbox *loop_inbox(struct loop *loop) {
	return &loop->inbox;
}

static void touch(struct loop *loop, const struct shard *shard) {
	loop->touched |= UINT64_C(1) << shard->index;
}

static int64_t next_deadline(const struct loop *loop) {
	int64_t next = loop->stopping ? loop->stop_deadline_us : SHARD_NO_DEADLINE;

	for (int i = 0; i < loop->shard_count; i++)
		next = MIN(next, loop->shards[i].deadline_us);
	return next;
}

/* Rounded up: to wake too early is to wake twice. */
static int wait_ms(const struct loop *loop) {
	int longest_ms = loop->has_lapsed ? LAPSED_WAIT_MS : IDLE_WAIT_MS;
	int64_t next, now;

	if (loop->has_more)
		return 0;
	next = next_deadline(loop);
	if (next == SHARD_NO_DEADLINE)
		return longest_ms;
	if (next == 0)
		return 0;
	now = clock_monotonic_us();
	return next <= now ? 0 : (int)MIN((next - now + 999) / 1000, (int64_t)longest_ms);
}

static void handle_event(struct loop *loop, const struct epoll_event *event) {
	uint8_t index;
	uint32_t events;

	if (event->data.fd == loop->inbox.event_fd) {
		loop->has_mail = true;
		return;
	}
	events = sockets_happened(&loop->sockets, event->data.fd, event->events, &index);
	if (!events)
		return;
	shard_handle_events(&loop->shards[index], event->data.fd, events);
	touch(loop, &loop->shards[index]);
}

static void wait_for_events(struct loop *loop) {
	struct epoll_event events[EVENTS_PER_WAIT];
	int count;

	atomic_fetch_add_explicit(&loop->shared->counters.worked_us,
				  (uint64_t)(clock_monotonic_us() - loop->woke_us),
				  memory_order_relaxed);
	count = epoll_wait(loop->sockets.epoll_fd, events, EVENTS_PER_WAIT, wait_ms(loop));
	loop->woke_us = clock_monotonic_us();
	for (int i = 0; i < count; i++)
		handle_event(loop, &events[i]);
}

static void fire_timers(struct loop *loop) {
	int64_t now = clock_monotonic_us();

	for (int i = 0; i < loop->shard_count; i++) {
		struct shard *shard = &loop->shards[i];

		if (shard->deadline_us > now)
			continue;
		shard_handle_deadline(shard);
		touch(loop, shard);
	}
}

static struct transfer *pool_take(struct loop *loop) {
	struct transfer *transfer = loop->pool;

	if (!transfer)
		return transfer_new(loop->shared, &loop->sockets, &loop->scheduler);
	DL_DELETE(loop->pool, transfer);
	loop->pooled_count--;
	return transfer;
}

/* The last one used is the next one taken: its memory is warm. */
static void pool_give(struct loop *loop, struct transfer *transfer) {
	if (loop->pooled_count >= POOLED_TRANSFERS) {
		transfer_free(transfer);
		return;
	}
	DL_PREPEND(loop->pool, transfer);
	loop->pooled_count++;
}

/* A claim's job goes to the outbox at the end of the turn, its place to the next. */
static void give_back(struct loop *loop, const struct claim *claim) {
	job_list_push(&loop->ended, claim->job);
	loop->ended_in_flight++;
	scheduler_release(&loop->scheduler, claim);
}

static void retire(struct loop *loop, struct transfer *transfer) {
	DL_DELETE(loop->in_flight, transfer);
	loop->in_flight_count--;
	give_back(loop, &transfer->claim);
	pool_give(loop, transfer);
}

static void collect_from(struct loop *loop, struct shard *shard) {
	struct transfer *transfer;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(shard->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		if (transfer_repeat(transfer, message->data.result))
			continue;
		fault_step("after-post");
		transfer_end(transfer, message->data.result);
		retire(loop, transfer);
	}
}

static void collect_results(struct loop *loop) {
	while (loop->touched) {
		struct shard *shard = &loop->shards[__builtin_ctzll(loop->touched)];

		loop->touched &= loop->touched - 1;
		collect_from(loop, shard);
	}
}

static struct shard *shard_of(struct loop *loop, const struct route *route) {
	return &loop->shards[route->host_hash / (unsigned)loop->count %
			     (unsigned)loop->shard_count];
}

static void begin(struct loop *loop, const struct claim *claim) {
	struct transfer *transfer = pool_take(loop);

	DL_APPEND(loop->in_flight, transfer);
	loop->in_flight_count++;
	if (transfer_begin(transfer, claim, shard_of(loop, claim->job->route)))
		return;
	transfer_end(transfer, CURLE_FAILED_INIT);
	retire(loop, transfer);
}

/*
 * The gate is looked at after the attempt is counted as in flight, and whoever closes it looks at
 * the count afterwards: one of the two always sees the other, so nothing begins once
 * engine_wait_idle has said that nothing is in flight.
 */
static void begin_or_refuse(struct loop *loop, const struct claim *claim) {
	atomic_fetch_sub_explicit(&loop->shared->counters.queued, 1, memory_order_relaxed);
	atomic_fetch_add(&loop->shared->counters.in_flight, 1);
	if (shared_gate_admits(loop->shared, claim->job)) {
		begin(loop, claim);
		return;
	}
	claim->job->end = JOB_REFUSED;
	give_back(loop, claim);
}

static void dispatch(struct loop *loop) {
	struct claim claim;

	for (int i = 0; i < BEGINS_PER_TURN; i++) {
		loop->has_lapsed =
		    scheduler_has_ready(&loop->scheduler) && !shared_lease_holds(loop->shared);
		loop->has_more = !loop->has_lapsed && loop->in_flight_count < loop->in_flight_max &&
				 scheduler_next(&loop->scheduler, &claim);
		if (!loop->has_more)
			return;
		begin_or_refuse(loop, &claim);
	}
}

/* Jobs that were queued and never counted as in flight. */
static void refuse(struct loop *loop, struct job_list *jobs) {
	for (struct job *job = jobs->head; job; job = job->next)
		job->end = JOB_REFUSED;
	atomic_fetch_sub_explicit(&loop->shared->counters.queued, (int)jobs->count,
				  memory_order_relaxed);
	job_list_append(&loop->ended, jobs);
}

static bool gate_admits(const struct job *job, void *userdata) {
	return shared_gate_admits(userdata, job);
}

static void add_jobs(struct loop *loop, struct job_list *jobs, struct job_list *refused) {
	struct job *job;

	if (loop->stopping) {
		job_list_append(refused, jobs);
		return;
	}
	while ((job = job_list_pop(jobs)))
		scheduler_add(&loop->scheduler, job, refused);
}

static void obey(struct loop *loop, struct message *message) {
	struct job_list refused = { 0 };

	switch (message->kind) {
	case MESSAGE_JOBS:
		add_jobs(loop, &message->jobs, &refused);
		break;
	case MESSAGE_DROP:
		scheduler_drop(&loop->scheduler, &message->webhook_id, &refused);
		break;
	case MESSAGE_SWEEP:
		scheduler_sweep(&loop->scheduler, gate_admits, loop->shared, &refused);
		break;
	case MESSAGE_STOP:
		loop->stopping = true;
		loop->stop_deadline_us = message->deadline_us;
		scheduler_sweep(&loop->scheduler, NULL, NULL, &refused);
		break;
	}
	refuse(loop, &refused);
}

static void read_mail(struct loop *loop) {
	struct message *message, *next;

	if (!loop->has_mail)
		return;
	loop->has_mail = false;
	for (message = inbox_take(&loop->inbox); message; message = next) {
		next = message->next;
		obey(loop, message);
		free(message);
	}
}

/* What ended is in the outbox before it leaves the count: who waits for zero finds everything
 * there. */
static void publish(struct loop *loop) {
	struct shared *shared = loop->shared;
	int ended = loop->ended_in_flight;

	outbox_put(&shared->outbox, &loop->ended);
	loop->ended_in_flight = 0;
	if (!ended || atomic_fetch_sub(&shared->counters.in_flight, ended) != ended)
		return;
	pthread_mutex_lock(&shared->idle_mutex);
	pthread_cond_broadcast(&shared->idle);
	pthread_mutex_unlock(&shared->idle_mutex);
}

static bool is_done(const struct loop *loop) {
	return loop->stopping &&
	       (!loop->in_flight_count || clock_monotonic_us() >= loop->stop_deadline_us);
}

static void abandon_all(struct loop *loop) {
	struct transfer *transfer, *next;

	DL_FOREACH_SAFE(loop->in_flight, transfer, next) {
		transfer_abandon(transfer);
		retire(loop, transfer);
	}
	publish(loop);
}

static void keep_connections(struct loop *loop, long per_shard) {
	for (int i = 0; i < loop->shard_count; i++)
		shard_keep_connections(&loop->shards[i], per_shard);
}

/*
 * A new connection costs several times what a request does, so a host may keep all that it was ever
 * allowed to open, whichever shard it crowds, until descriptors get scarce.
 */
static void spare_connections(struct loop *loop) {
	bool scarce = loop->sockets.open > loop->connections_max / 4 * 3,
	     plenty = loop->sockets.open < loop->connections_max / 2;

	if (scarce && !loop->sparing)
		keep_connections(loop, MAX(loop->connections_max / loop->shard_count, 1));
	else if (plenty && loop->sparing)
		keep_connections(loop, loop->connections_max);
	loop->sparing = scarce || (loop->sparing && !plenty);
}

static void *run(void *userdata) {
	struct loop *loop = userdata;

	loop->woke_us = clock_monotonic_us();
	while (!is_done(loop)) {
		wait_for_events(loop);
		fire_timers(loop);
		collect_results(loop);
		read_mail(loop);
		dispatch(loop);
		publish(loop);
		spare_connections(loop);
	}
	abandon_all(loop);
	return NULL;
}

/* Signals are for the main thread. SIGPIPE too: curl was told to leave signals alone, and TLS
 * writes without MSG_NOSIGNAL. */
static int start_thread(struct loop *loop) {
	char name[16];
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&loop->thread, NULL, run, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return -rc;
	snprintf(name, sizeof(name), "delivery-%d", loop->index);
	pthread_setname_np(loop->thread, name);
	return 0;
}

static int open_descriptors(struct loop *loop) {
	int rc = inbox_init(&loop->inbox);

	if (!rc)
		rc = sockets_init(&loop->sockets, &loop->shared->counters.connections);
	return rc ? rc : sockets_watch(&loop->sockets, loop->inbox.event_fd);
}

int loop_new(struct shared *shared, int index, int count, struct loop **out) {
	const struct config *config = shared->config;
	struct loop *loop = x_calloc(1, sizeof(*loop));
	int rc;

	loop->shared = shared;
	loop->index = index;
	loop->count = count;
	loop->shard_count = shared->shard_count;
	loop->in_flight_max =
	    MAX(MIN(config->delivery_max_in_flight, shared->connections_max) / count, 1);
	loop->connections_max = MAX(shared->connections_max / count, 1);
	loop->inbox.event_fd = loop->sockets.epoll_fd = -1;
	scheduler_init(&loop->scheduler, config->delivery_max_in_flight_per_endpoint,
		       config->delivery_max_connections_per_host, MAX(UNREACHED_MAX / count, 1));
	for (int i = 0; i < loop->shard_count; i++)
		shard_init(&loop->shards[i], (uint8_t)i, &loop->sockets);
	keep_connections(loop, loop->connections_max);
	rc = open_descriptors(loop);
	if (!rc)
		rc = start_thread(loop);
	if (rc)
		loop_free(loop);
	else
		*out = loop;
	return rc;
}

void loop_join(struct loop *loop) {
	pthread_join(loop->thread, NULL);
}

void loop_free(struct loop *loop) {
	struct transfer *transfer, *next;

	DL_FOREACH_SAFE(loop->pool, transfer, next) {
		DL_DELETE(loop->pool, transfer);
		transfer_free(transfer);
	}
	for (int i = 0; i < loop->shard_count; i++)
		shard_destroy(&loop->shards[i]);
	scheduler_destroy(&loop->scheduler);
	sockets_destroy(&loop->sockets);
	inbox_destroy(&loop->inbox);
	free(loop);
}
