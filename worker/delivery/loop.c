#include "delivery/loop.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "delivery/shard_set.h"
#include "delivery/transfer_pool.h"
#include "delivery/verdict.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <utlist.h>

enum {
	EVENTS_PER_WAIT = 256,
	BEGINS_PER_ROUND = 64, /* the events of those that began must not wait long */
	IDLE_WAIT_MS = 60 * 1000,
	LAPSED_WAIT_MS = 20, /* until the lease is looked at again, while jobs wait for it */
};

struct loop {
	struct engine_shared *shared; /* borrowed */
	int index, count;             /* this thread among all */
	pthread_t thread;
	struct inbox inbox;
	struct sockets sockets;
	struct shard_set shards;
	struct scheduler scheduler;
	struct transfer *in_flight; /* list */
	struct transfer_pool pool;
	int in_flight_count, in_flight_max;
	int64_t woke_us;       /* monotonic: the end of the last wait */
	struct job_list ended; /* of this round */
	int ended_in_flight;   /* those of them that were counted as in flight */
	bool has_messages;
	bool has_more;   /* a job may begin at once */
	bool has_lapsed; /* the lease is over, and jobs may be waiting */
	bool is_stopping;
	int64_t stop_deadline_us; /* monotonic */
};

struct inbox *loop_inbox(struct loop *loop) {
	return &loop->inbox;
}

/* Rounded up: a wait that ends too early is followed by a second one. */
static int wait_ms(const struct loop *loop) {
	int longest_ms = loop->has_lapsed ? LAPSED_WAIT_MS : IDLE_WAIT_MS;
	int64_t next_us, now_us;

	if (loop->has_more)
		return 0;
	next_us = shard_set_next_deadline_us(&loop->shards);
	if (loop->is_stopping)
		next_us = MIN(next_us, loop->stop_deadline_us);
	if (next_us == SHARD_NO_DEADLINE)
		return longest_ms;
	if (next_us == 0)
		return 0;
	now_us = clock_monotonic_us();
	return next_us <= now_us ? 0
				 : (int)MIN((next_us - now_us + 999) / 1000, (int64_t)longest_ms);
}

static void handle_event(struct loop *loop, const struct epoll_event *event) {
	uint8_t shard;
	uint32_t events;

	if (event->data.fd == loop->inbox.event_fd) {
		loop->has_messages = true;
		return;
	}
	events = sockets_happened(&loop->sockets, event->data.fd, event->events, &shard);
	if (events)
		shard_set_handle_events(&loop->shards, shard, event->data.fd, events);
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

/* Ends of attempts. */

/* The claim's job goes to the outbox at the end of the round, its place to the next job. */
static void end_claim(struct loop *loop, const struct scheduler_claim *claim) {
	job_list_push(&loop->ended, claim->job);
	loop->ended_in_flight++;
	scheduler_release(&loop->scheduler, claim);
}

static void end_transfer(struct loop *loop, struct transfer *transfer) {
	DL_DELETE(loop->in_flight, transfer);
	loop->in_flight_count--;
	end_claim(loop, &transfer->claim);
	transfer_pool_give(&loop->pool, transfer);
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
		verdict_end(transfer, message->data.result);
		end_transfer(loop, transfer);
	}
}

static void collect_results(struct loop *loop) {
	struct shard *shard;

	while ((shard = shard_set_next_touched(&loop->shards)))
		collect_from(loop, shard);
}

/* Beginnings of attempts. */

static void begin_transfer(struct loop *loop, const struct scheduler_claim *claim) {
	struct transfer *transfer = transfer_pool_take(&loop->pool);

	if (!transfer)
		transfer = transfer_new(loop->shared, &loop->sockets, &loop->scheduler);
	DL_APPEND(loop->in_flight, transfer);
	loop->in_flight_count++;
	if (transfer_begin(transfer, claim,
			   shard_set_find(&loop->shards, claim->job->route, loop->count)))
		return;
	verdict_end(transfer, CURLE_FAILED_INIT);
	end_transfer(loop, transfer);
}

/*
 * The gate is read after the attempt is counted as in flight. Whoever closes the gate reads the
 * count afterwards. One of the two always sees the other, so nothing begins once engine_wait_idle
 * has said that nothing is in flight.
 */
static void begin_or_refuse(struct loop *loop, const struct scheduler_claim *claim) {
	atomic_fetch_sub_explicit(&loop->shared->counters.queued, 1, memory_order_relaxed);
	atomic_fetch_add(&loop->shared->counters.in_flight, 1);
	if (engine_shared_admits(loop->shared, claim->job)) {
		begin_transfer(loop, claim);
		return;
	}
	claim->job->end = JOB_REFUSED;
	end_claim(loop, claim);
}

static void begin_jobs(struct loop *loop) {
	struct scheduler_claim claim;

	for (int i = 0; i < BEGINS_PER_ROUND; i++) {
		loop->has_lapsed = scheduler_has_ready(&loop->scheduler) &&
				   !engine_shared_lease_holds(loop->shared);
		loop->has_more = !loop->has_lapsed && loop->in_flight_count < loop->in_flight_max &&
				 scheduler_next(&loop->scheduler, &claim);
		if (!loop->has_more)
			return;
		begin_or_refuse(loop, &claim);
	}
}

/* Messages. */

/* Takes jobs that were queued and never counted as in flight. */
static void refuse_queued(struct loop *loop, struct job_list *jobs) {
	job_list_refuse(jobs);
	atomic_fetch_sub_explicit(&loop->shared->counters.queued, (int)jobs->count,
				  memory_order_relaxed);
	job_list_append(&loop->ended, jobs);
}

static bool gate_admits(const struct job *job, void *userdata) {
	return engine_shared_gate_admits(userdata, job);
}

static void add_jobs(struct loop *loop, struct job_list *jobs, struct job_list *refused) {
	struct job *job;

	if (loop->is_stopping) {
		job_list_append(refused, jobs);
		return;
	}
	while ((job = job_list_pop(jobs)))
		scheduler_add(&loop->scheduler, job, refused);
}

static void handle_message(struct loop *loop, struct inbox_message *message) {
	struct job_list refused = { 0 };

	switch (message->kind) {
	case INBOX_JOBS:
		add_jobs(loop, &message->jobs, &refused);
		break;
	case INBOX_DROP:
		scheduler_drop(&loop->scheduler, &message->webhook_id, &refused);
		break;
	case INBOX_SWEEP:
		scheduler_sweep(&loop->scheduler, gate_admits, loop->shared, &refused);
		break;
	case INBOX_STOP:
		loop->is_stopping = true;
		loop->stop_deadline_us = message->deadline_us;
		scheduler_sweep(&loop->scheduler, NULL, NULL, &refused);
		break;
	}
	refuse_queued(loop, &refused);
}

static void handle_messages(struct loop *loop) {
	struct inbox_message *message, *next;

	if (!loop->has_messages)
		return;
	loop->has_messages = false;
	for (message = inbox_take(&loop->inbox); message; message = next) {
		next = message->next;
		handle_message(loop, message);
		free(message);
	}
}

/* The round. */

/* Jobs are in the outbox before they leave the count: a caller that waits for zero finds all of
 * them there. */
static void publish_ended(struct loop *loop) {
	struct engine_shared *shared = loop->shared;
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
	return loop->is_stopping &&
	       (!loop->in_flight_count || clock_monotonic_us() >= loop->stop_deadline_us);
}

static void abandon_transfers(struct loop *loop) {
	struct transfer *transfer, *next;

	DL_FOREACH_SAFE(loop->in_flight, transfer, next) {
		verdict_abandon(transfer);
		end_transfer(loop, transfer);
	}
	publish_ended(loop);
}

static void *run_thread(void *userdata) {
	struct loop *loop = userdata;

	loop->woke_us = clock_monotonic_us();
	while (!is_done(loop)) {
		wait_for_events(loop);
		shard_set_handle_deadlines(&loop->shards, clock_monotonic_us());
		collect_results(loop);
		handle_messages(loop);
		begin_jobs(loop);
		publish_ended(loop);
		shard_set_shed_connections(&loop->shards, loop->sockets.open);
	}
	abandon_transfers(loop);
	return NULL;
}

/* Signals are for the main thread. So is SIGPIPE: curl leaves signals alone here, and TLS writes
 * without MSG_NOSIGNAL. */
static int start_thread(struct loop *loop) {
	char name[16];
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&loop->thread, NULL, run_thread, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return -r;
	snprintf(name, sizeof(name), "delivery-%d", loop->index);
	pthread_setname_np(loop->thread, name);
	return 0;
}

static int open_descriptors(struct loop *loop) {
	int r = inbox_init(&loop->inbox);

	r = r ? r : sockets_init(&loop->sockets, &loop->shared->counters.connections);
	return r ? r : sockets_watch(&loop->sockets, loop->inbox.event_fd);
}

int loop_new(struct engine_shared *shared, int index, int count, struct loop **out) {
	const struct config *config = shared->config;
	struct loop *loop = x_calloc(1, sizeof(*loop));
	int r;

	loop->shared = shared;
	loop->index = index;
	loop->count = count;
	loop->in_flight_max =
	    MAX(MIN(config->delivery_max_in_flight, shared->connections_max) / count, 1);
	loop->inbox.event_fd = loop->sockets.epoll_fd = -1;
	scheduler_init(&loop->scheduler, config->delivery_max_in_flight_per_endpoint,
		       config->delivery_max_connections_per_host,
		       MAX(SCHEDULER_UNRESOLVED_MAX / count, 1));
	shard_set_init(&loop->shards, shared->shard_count, MAX(shared->connections_max / count, 1),
		       &loop->sockets);
	r = open_descriptors(loop);
	if (!r)
		r = start_thread(loop);
	if (r)
		loop_free(loop);
	else
		*out = loop;
	return r;
}

void loop_join(struct loop *loop) {
	pthread_join(loop->thread, NULL);
}

void loop_free(struct loop *loop) {
	transfer_pool_destroy(&loop->pool);
	shard_set_destroy(&loop->shards);
	scheduler_destroy(&loop->scheduler);
	sockets_destroy(&loop->sockets);
	inbox_destroy(&loop->inbox);
	free(loop);
}
