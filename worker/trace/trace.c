#include "trace/trace.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "trace/collector.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	QUEUE_MAX = 2048, /* spans, as OTEL_BSP_MAX_QUEUE_SIZE has it */
	BATCH_AFTER_MS = 1000,
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 30 * 1000,
	PAUSE_ASKED_MAX_MS = 10 * 60 * 1000, /* that of a Retry-After */
	LAST_CALL_MS = 2000,
};

static struct {
	struct collector collector; /* the thread's */
	int64_t stop_ms; /* the thread's, monotonic: a request of before ends; 0: none does */
	pthread_t thread;
	atomic_bool is_on;
	atomic_uint_fast64_t sent, dropped;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *queue[QUEUE_MAX]; /* owned: spans as JSON; a ring */
	size_t first, count;
	bool is_stopping;
} trace = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Adding. */

bool trace_wants(const char *traceparent) {
	return atomic_load_explicit(&trace.is_on, memory_order_relaxed) &&
	       traceparent_is_sampled(traceparent);
}

static bool queue_has_room(void) {
	bool has_room;

	pthread_mutex_lock(&trace.lock);
	has_room = trace.count < QUEUE_MAX;
	pthread_mutex_unlock(&trace.lock);
	return has_room;
}

static bool push(char *span) {
	bool has_room;

	pthread_mutex_lock(&trace.lock);
	has_room = trace.count < QUEUE_MAX;
	if (has_room)
		trace.queue[(trace.first + trace.count++) % QUEUE_MAX] = span;
	if (trace.count == COLLECTOR_SPANS_MAX)
		pthread_cond_signal(&trace.changed);
	pthread_mutex_unlock(&trace.lock);
	return has_room;
}

/* A span for which there is no room is not even written. */
static bool write_and_push(const struct span *span) {
	_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(COLLECTOR_SPAN_BYTES_MAX);

	if (!queue_has_room())
		return false;
	span_append_json(&json, span);
	if (json.overflowed || !push(json.data))
		return false;
	(void)TAKE(json.data);
	return true;
}

void trace_add(const struct span *span) {
	if (atomic_load_explicit(&trace.is_on, memory_order_relaxed) && !write_and_push(span))
		atomic_fetch_add(&trace.dropped, 1);
}

struct trace_counts trace_counts(void) {
	return (struct trace_counts){ atomic_load(&trace.sent), atomic_load(&trace.dropped) };
}

/* The thread. */

/* Takes spans from the queue, and returns their number; the caller owns them. Under the lock. */
static size_t take_batch(char *spans[COLLECTOR_SPANS_MAX]) {
	size_t count = MIN(trace.count, (size_t)COLLECTOR_SPANS_MAX);

	for (size_t i = 0; i < count; i++)
		spans[i] = trace.queue[(trace.first + i) % QUEUE_MAX];
	trace.first = (trace.first + count) % QUEUE_MAX;
	trace.count -= count;
	return count;
}

/* Waits up to `ms`, or until there is a whole batch, or it is to stop. Under the lock. */
static void wait_for_more(int64_t ms, bool for_batch) {
	/* In whole milliseconds, the pause that a collector asks for would be short by a part of
	   one. */
	int64_t until_us = clock_monotonic_us() + ms * 1000;
	struct timespec until = { until_us / 1000000, until_us % 1000000 * 1000 };
	int r = 0;

	while (r == 0 && !trace.is_stopping && !(for_batch && trace.count >= COLLECTOR_SPANS_MAX))
		r = pthread_cond_timedwait(&trace.changed, &trace.lock, &until);
}

static bool wait_locked(int64_t ms, bool for_batch) {
	bool is_stopping;

	pthread_mutex_lock(&trace.lock);
	wait_for_more(ms, for_batch);
	is_stopping = trace.is_stopping;
	pthread_mutex_unlock(&trace.lock);
	return !is_stopping;
}

/* Until it is sent, refused for good, or it is to stop: then a last time. */
static struct collector_result post_until_it_ends(size_t count) {
	const int64_t timeout_ms = trace.collector.settings.timeout_ms;
	struct collector_result result = collector_post(&trace.collector, count, timeout_ms);
	struct backoff backoff = { 0 };
	bool goes_on = true;

	while (result.end == COLLECTOR_LATER && goes_on) {
		int64_t now_ms = clock_monotonic_ms(),
			asked_ms = MIN(result.pause_ms, (int64_t)PAUSE_ASKED_MAX_MS);

		backoff_fail(&backoff, now_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
		goes_on = wait_locked(MAX(backoff.until_ms - now_ms, asked_ms), false);
		result =
		    collector_post(&trace.collector, count, goes_on ? timeout_ms : LAST_CALL_MS);
	}
	return result;
}

static void send_batch(char *spans[COLLECTOR_SPANS_MAX], size_t count) {
	struct collector_result result;
	size_t dropped;

	collector_write(&trace.collector, spans, count);
	for (size_t i = 0; i < count; i++)
		free(spans[i]);
	result = post_until_it_ends(count);
	dropped = result.end == COLLECTOR_TOOK ? result.rejected : count;
	atomic_fetch_add(&trace.sent, count - dropped);
	atomic_fetch_add(&trace.dropped, dropped);
}

static void *run(void *userdata _unused_) {
	char *spans[COLLECTOR_SPANS_MAX];
	bool goes_on = true;
	size_t count;

	do {
		pthread_mutex_lock(&trace.lock);
		wait_for_more(BATCH_AFTER_MS, true);
		count = take_batch(spans);
		goes_on = !trace.is_stopping;
		pthread_mutex_unlock(&trace.lock);
		if (count)
			send_batch(spans, count);
	} while (goes_on || count);
	return NULL;
}

/* Starting and stopping. */

/* A stop does not wait for a collector that hangs. */
static bool gives_up(void) {
	int64_t now_ms = clock_monotonic_ms();
	bool is_stopping;

	pthread_mutex_lock(&trace.lock);
	is_stopping = trace.is_stopping;
	pthread_mutex_unlock(&trace.lock);
	if (is_stopping && !trace.stop_ms)
		trace.stop_ms = now_ms + LAST_CALL_MS;
	return is_stopping && now_ms > trace.stop_ms;
}

static void init_condition(void) {
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&trace.changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

int trace_start(struct trace_settings *settings, const char *version) {
	int r;

	if (!settings->url)
		return 0;
	init_condition();
	collector_init(&trace.collector, settings, version, gives_up);
	r = pthread_create(&trace.thread, NULL, run, NULL);
	atomic_store(&trace.is_on, r == 0);
	if (r)
		collector_destroy(&trace.collector);
	return -r;
}

void trace_stop(void) {
	if (!atomic_exchange(&trace.is_on, false))
		return;
	pthread_mutex_lock(&trace.lock);
	trace.is_stopping = true;
	pthread_cond_signal(&trace.changed);
	pthread_mutex_unlock(&trace.lock);
	pthread_join(trace.thread, NULL);
	collector_destroy(&trace.collector);
}
