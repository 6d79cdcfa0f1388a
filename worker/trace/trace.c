#include "trace/trace.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
	QUEUE_MAX = 2048, /* spans, as OTEL_BSP_MAX_QUEUE_SIZE has it */
	BATCH_MAX = 512,
	SPAN_MAX = 64 * 1024, /* bytes */
	BATCH_BYTES_MAX = BATCH_MAX * SPAN_MAX,
	BATCH_AFTER_MS = 1000,
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 30 * 1000,
	LAST_CALL_MS = 2000,
	WARN_EVERY_MS = 5 * 60 * 1000,
};

static struct {
	struct trace_settings settings;
	char *version;
	CURL *easy;          /* the thread's */
	struct buffer batch; /* the thread's: a request's body */
	int64_t warned_ms;   /* the thread's, monotonic; 0: never */
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

static bool push(char *span) {
	bool has_room;

	pthread_mutex_lock(&trace.lock);
	has_room = trace.count < QUEUE_MAX;
	if (has_room)
		trace.queue[(trace.first + trace.count++) % QUEUE_MAX] = span;
	if (trace.count == BATCH_MAX)
		pthread_cond_signal(&trace.changed);
	pthread_mutex_unlock(&trace.lock);
	return has_room;
}

void trace_add(const struct span *span) {
	_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(SPAN_MAX);

	if (!atomic_load_explicit(&trace.is_on, memory_order_relaxed))
		return;
	span_append_json(&json, span);
	if (json.overflowed || !push(json.data))
		atomic_fetch_add(&trace.dropped, 1);
	else
		(void)TAKE(json.data);
}

struct trace_counts trace_counts(void) {
	return (struct trace_counts){ atomic_load(&trace.sent), atomic_load(&trace.dropped) };
}

/* The thread. */

static void begin_batch(void) {
	buffer_clear(&trace.batch);
	buffer_printf(&trace.batch, "{\"resourceSpans\":[{\"resource\":%s,\"scopeSpans\":[{",
		      trace.settings.resource);
	buffer_printf(&trace.batch, "\"scope\":{\"name\":\"posthorn\",\"version\":\"%s\"},",
		      trace.version);
	buffer_append_string(&trace.batch, "\"spans\":[");
}

static size_t end_batch(size_t count) {
	buffer_append_string(&trace.batch, "]}]}]}");
	return count;
}

/* Moves spans from the queue into a request's body. Returns their number. Under the lock. */
static size_t take_batch(void) {
	size_t count = MIN(trace.count, (size_t)BATCH_MAX);

	begin_batch();
	for (size_t i = 0; i < count; i++) {
		char *span = trace.queue[(trace.first + i) % QUEUE_MAX];

		buffer_append_string(&trace.batch, i ? "," : "");
		buffer_append_string(&trace.batch, span);
		free(span);
	}
	trace.first = (trace.first + count) % QUEUE_MAX;
	trace.count -= count;
	return end_batch(count);
}

/* Waits up to `ms`, or until there is a whole batch, or it is to stop. Under the lock. */
static void wait_for_more(int64_t ms, bool for_batch) {
	int64_t until_ms = clock_monotonic_ms() + ms;
	struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	int r = 0;

	while (r == 0 && !trace.is_stopping && !(for_batch && trace.count >= BATCH_MAX))
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

static void warn(CURLcode code, long status, size_t count) {
	int64_t now_ms = clock_monotonic_ms();

	if (trace.warned_ms && now_ms - trace.warned_ms < WARN_EVERY_MS)
		return;
	trace.warned_ms = now_ms;
	log_warn("the collector does not take spans", "spans=%zu status=%ld error=%s", count,
		 status, log_quote(code == CURLE_OK ? "" : curl_easy_strerror(code)));
}

/* Source: OTLP 1.9, "OTLP/HTTP Response". */
static bool may_try_again(CURLcode code, long status) {
	return code != CURLE_OK || status == 429 || status == 502 || status == 503 || status == 504;
}

enum sent { SENT, SENT_LATER, SENT_NEVER };

static enum sent post(size_t count, int64_t timeout_ms) {
	long status = 0;
	CURLcode code;

	curl_easy_setopt(trace.easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(trace.easy, CURLOPT_POSTFIELDS, trace.batch.data);
	curl_easy_setopt(trace.easy, CURLOPT_POSTFIELDSIZE, (long)trace.batch.len);
	code = curl_easy_perform(trace.easy);
	if (code == CURLE_OK)
		curl_easy_getinfo(trace.easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return SENT;
	warn(code, status, count);
	return may_try_again(code, status) ? SENT_LATER : SENT_NEVER;
}

/* Until it is sent, refused for good, or it is to stop: then a last time. */
static void send_batch(size_t count) {
	struct backoff backoff = { 0 };
	enum sent sent = post(count, trace.settings.timeout_ms);
	bool goes_on = true;

	while (sent == SENT_LATER && goes_on) {
		int64_t now_ms = clock_monotonic_ms();

		backoff_fail(&backoff, now_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
		goes_on = wait_locked(backoff.until_ms - now_ms, false);
		sent = post(count, goes_on ? trace.settings.timeout_ms : LAST_CALL_MS);
	}
	atomic_fetch_add(sent == SENT ? &trace.sent : &trace.dropped, count);
}

static void *run(void *userdata _unused_) {
	bool goes_on = true;
	size_t count;

	do {
		pthread_mutex_lock(&trace.lock);
		wait_for_more(BATCH_AFTER_MS, true);
		count = take_batch();
		goes_on = !trace.is_stopping;
		pthread_mutex_unlock(&trace.lock);
		if (count)
			send_batch(count);
	} while (goes_on || count);
	return NULL;
}

/* Starting and stopping. */

static size_t ignore_body(char *bytes _unused_, size_t size _unused_, size_t len,
			  void *userdata _unused_) {
	return len;
}

/* A stop does not wait for a collector that hangs. */
static int watch_stop(void *userdata, curl_off_t a _unused_, curl_off_t b _unused_,
		      curl_off_t c _unused_, curl_off_t d _unused_) {
	int64_t *stop_ms = userdata;
	int64_t now_ms = clock_monotonic_ms();
	bool is_stopping;

	pthread_mutex_lock(&trace.lock);
	is_stopping = trace.is_stopping;
	pthread_mutex_unlock(&trace.lock);
	if (is_stopping && !*stop_ms)
		*stop_ms = now_ms + LAST_CALL_MS;
	return is_stopping && now_ms > *stop_ms;
}

static void set_files(void) {
	const struct trace_settings *settings = &trace.settings;

	if (settings->ca_file) {
		curl_easy_setopt(trace.easy, CURLOPT_CAINFO, settings->ca_file);
		/* Debian's libcurl has a folder too, and would trust that as well. */
		curl_easy_setopt(trace.easy, CURLOPT_CAPATH, NULL);
	}
	if (!settings->certificate_file)
		return;
	curl_easy_setopt(trace.easy, CURLOPT_SSLCERT, settings->certificate_file);
	curl_easy_setopt(trace.easy, CURLOPT_SSLKEY, settings->key_file);
	/* Else OpenSSL would ask the terminal for the one of a key that has one. */
	curl_easy_setopt(trace.easy, CURLOPT_KEYPASSWD, "");
}

static void set_options(void) {
	static int64_t stop_ms; /* the thread's */

	trace.easy = x_checked(curl_easy_init());
	curl_easy_setopt(trace.easy, CURLOPT_URL, trace.settings.url);
	curl_easy_setopt(trace.easy, CURLOPT_HTTPHEADER, trace.settings.headers);
	curl_easy_setopt(trace.easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(trace.easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(trace.easy, CURLOPT_PROXY, "");
	curl_easy_setopt(trace.easy, CURLOPT_USERAGENT, "posthorn");
	curl_easy_setopt(trace.easy, CURLOPT_WRITEFUNCTION, ignore_body);
	curl_easy_setopt(trace.easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(trace.easy, CURLOPT_XFERINFOFUNCTION, watch_stop);
	curl_easy_setopt(trace.easy, CURLOPT_XFERINFODATA, &stop_ms);
	set_files();
}

static void init_condition(void) {
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&trace.changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void clean_up(void) {
	curl_easy_cleanup(trace.easy);
	buffer_destroy(&trace.batch);
	free(trace.version);
	trace_settings_destroy(&trace.settings);
}

int trace_start(struct trace_settings *settings, const char *version) {
	int r;

	if (!settings->url)
		return 0;
	trace.settings = *settings;
	*settings = (struct trace_settings){ 0 };
	trace.settings.headers =
	    x_checked(curl_slist_append(trace.settings.headers, "Content-Type: application/json"));
	trace.version = x_strdup(version);
	trace.batch = BUFFER_INIT(BATCH_BYTES_MAX);
	init_condition();
	set_options();
	r = pthread_create(&trace.thread, NULL, run, NULL);
	atomic_store(&trace.is_on, r == 0);
	if (r)
		clean_up();
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
	clean_up();
}
