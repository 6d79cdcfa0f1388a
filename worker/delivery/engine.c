#include "delivery/engine.h"

#include "base/clock.h"
#include "base/log.h"
#include "delivery/descriptors.h"
#include "delivery/loop.h"
#include "delivery/tls.h"

#include <curl/curl.h>
#include <errno.h>
#include <sys/resource.h>
#include <time.h>

enum { DESCRIPTORS_MAX = 65536 };

struct engine {
	struct engine_shared shared;
	struct loop **loops; /* owned */
	int loop_count;      /* started */
	atomic_bool stopped;
};

/* Raises the soft limit of descriptors: it is low for the sake of select(2), which is not used. */
static int descriptors_max(int wanted_max) {
	struct rlimit limit = { 0 }, wanted;

	getrlimit(RLIMIT_NOFILE, &limit);
	wanted = limit;
	wanted.rlim_cur = MIN(limit.rlim_max, (rlim_t)wanted_max);
	if (wanted.rlim_cur > limit.rlim_cur && !setrlimit(RLIMIT_NOFILE, &wanted))
		limit = wanted;
	return (int)MIN(limit.rlim_cur, (rlim_t)wanted_max);
}

/*
 * With fewer threads than wanted, or fewer connections than attempts may be in flight, the worker
 * is slower; without any connection it cannot deliver. Returns the number of threads, or -EMFILE.
 */
static int share_descriptors(struct engine_shared *shared, int threads) {
	int wanted = shared->config->delivery_max_in_flight,
	    needed = descriptors_needed(threads, wanted);
	int limit = descriptors_max(MAX(needed, DESCRIPTORS_MAX));
	struct descriptors_plan plan;

	if (descriptors_share(limit, threads, &plan)) {
		log_error("too few file descriptors: raise the limit (ulimit -n, LimitNOFILE=)",
			  "limit=%d needed=%d", limit, needed);
		return -EMFILE;
	}
	if (plan.threads < threads)
		log_warn("too few file descriptors for delivery.threads: raise the limit (ulimit "
			 "-n, LimitNOFILE=)",
			 "limit=%d needed=%d threads=%d wanted=%d in_flight_max=%d", limit, needed,
			 plan.threads, threads, MIN(plan.connections_max, wanted));
	else if (plan.connections_max < wanted)
		log_warn("too few file descriptors for delivery.max.in.flight: raise the limit "
			 "(ulimit -n, LimitNOFILE=)",
			 "limit=%d needed=%d in_flight_max=%d", limit, needed,
			 plan.connections_max);
	shared->shard_count = plan.shards;
	shared->connections_max = plan.connections_max;
	return plan.threads;
}

static void shared_init(struct engine_shared *shared, const struct config *config,
			const char *version) {
	pthread_condattr_t attributes;

	shared->config = config;
	shared->user_agent = x_asprintf("user-agent: posthorn/%s", version);
	pthread_mutex_init(&shared->idle_mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&shared->idle, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void shared_destroy(struct engine_shared *shared) {
	outbox_destroy(&shared->outbox);
	pthread_cond_destroy(&shared->idle);
	pthread_mutex_destroy(&shared->idle_mutex);
	tls_authorities_free(shared->authorities);
	proxy_destroy(&shared->proxy);
	client_certificate_destroy(&shared->client_certificate);
	free(shared->user_agent);
}

static void broadcast(struct engine *engine, const struct inbox_message *message) {
	for (int i = 0; i < engine->loop_count; i++)
		inbox_put(loop_inbox(engine->loops[i]), message);
}

static void free_loops(struct engine *engine) {
	for (int i = 0; i < engine->loop_count; i++)
		loop_free(engine->loops[i]);
	free(engine->loops);
	engine->loops = NULL;
	engine->loop_count = 0;
}

/* Before they are given any job. */
static void stop_loops(struct engine *engine) {
	const struct inbox_message message = { .kind = INBOX_STOP };

	broadcast(engine, &message);
	for (int i = 0; i < engine->loop_count; i++)
		loop_join(engine->loops[i]);
	free_loops(engine);
}

static int start_exactly(struct engine *engine, int count) {
	int r = 0;

	engine->loops = x_calloc((size_t)count, sizeof(struct loop *));
	while (!r && engine->loop_count < count) {
		r = loop_new(&engine->shared, engine->loop_count, count,
			     &engine->loops[engine->loop_count]);
		engine->loop_count += !r;
	}
	return r;
}

/*
 * Where the system refuses a thread (its memory, the limit of processes), half of the threads that
 * it gave are started: Kafka's client needs some too. All of them are stopped before, since each
 * has its part of the bounds.
 */
static int start_loops(struct engine *engine, int wanted) {
	int count = share_descriptors(&engine->shared, wanted), planned = count, r = MIN(count, 0),
	    refusal = 0;

	while (count > 0 && (r = start_exactly(engine, count)) && engine->loop_count) {
		count = MAX(engine->loop_count / 2, 1);
		refusal = r;
		stop_loops(engine);
	}
	if (!r && count < planned)
		log_warn("fewer threads than delivery.threads: the system refused more",
			 "threads=%d wanted=%d error=%s", count, wanted,
			 log_quote(strerror(-refusal)));
	return r;
}

/* Each logs which file cannot be used. */
static int read_files(struct engine_shared *shared) {
	const struct config *config = shared->config;
	int r = tls_authorities_new(config->endpoint_ca_file, &shared->authorities);

	if (!r)
		r = proxy_init(&shared->proxy, config);
	if (!r)
		r = client_certificate_init(&shared->client_certificate, config);
	return r;
}

/* An engine without threads. */
static int make(const struct config *config, const char *version, void (*notify)(void *userdata),
		void *userdata, struct engine **out) {
	_cleanup_(engine_freep) struct engine *engine = x_calloc(1, sizeof(*engine));
	int r;

	shared_init(&engine->shared, config, version);
	outbox_init(&engine->shared.outbox, notify, userdata);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	r = read_files(&engine->shared);
	if (!r)
		*out = TAKE(engine);
	return r;
}

int engine_check_files(const struct config *config) {
	_cleanup_(engine_freep) struct engine *engine = NULL;

	return make(config, "", NULL, NULL, &engine);
}

int engine_new(const struct config *config, const char *version, void (*notify)(void *userdata),
	       void *userdata, struct engine **out) {
	_cleanup_(engine_freep) struct engine *engine = NULL;
	int r = make(config, version, notify, userdata, &engine);

	if (!r)
		r = start_loops(engine, MAX(config->delivery_threads, 1));
	if (!r)
		*out = TAKE(engine);
	return r;
}

static void refuse_jobs(struct engine *engine, struct job_list *jobs) {
	job_list_refuse(jobs);
	atomic_fetch_sub_explicit(&engine->shared.counters.queued, (int)jobs->count,
				  memory_order_relaxed);
	outbox_put(&engine->shared.outbox, jobs);
}

/* The messages that came after the thread had read its last one. */
static void refuse_unread(struct engine *engine, struct inbox *inbox) {
	struct inbox_message *message, *next;

	for (message = inbox_take(inbox); message; message = next) {
		next = message->next;
		refuse_jobs(engine, &message->jobs);
		free(message);
	}
}

void engine_stop(struct engine *engine, int64_t grace_ms) {
	struct inbox_message message = { .kind = INBOX_STOP,
					 .deadline_us = clock_monotonic_us() + grace_ms * 1000 };

	if (!engine || atomic_exchange(&engine->stopped, true))
		return;
	broadcast(engine, &message);
	for (int i = 0; i < engine->loop_count; i++) {
		loop_join(engine->loops[i]);
		refuse_unread(engine, loop_inbox(engine->loops[i]));
	}
}

void engine_free(struct engine *engine) {
	if (!engine)
		return;
	engine_stop(engine, 0);
	free_loops(engine);
	shared_destroy(&engine->shared);
	free(engine);
	curl_global_cleanup();
}

/* All endpoints of a host share a thread, which pools its connections. */
static int loop_of(const struct engine *engine, const struct route *route) {
	return (int)(route->host_hash % (unsigned)engine->loop_count);
}

void engine_submit(struct engine *engine, struct job *jobs) {
	_cleanup_(x_freep) struct inbox_message *messages =
	    x_calloc((size_t)engine->loop_count, sizeof(*messages));
	struct job *next;

	for (; jobs; jobs = next) {
		next = jobs->next;
		job_list_push(&messages[loop_of(engine, jobs->route)].jobs, jobs);
	}
	for (int i = 0; i < engine->loop_count; i++) {
		if (!messages[i].jobs.head)
			continue;
		atomic_fetch_add_explicit(&engine->shared.counters.queued,
					  (int)messages[i].jobs.count, memory_order_relaxed);
		if (atomic_load(&engine->stopped))
			refuse_jobs(engine, &messages[i].jobs);
		else
			inbox_put(loop_inbox(engine->loops[i]), &messages[i]);
	}
}

struct job *engine_collect(struct engine *engine) {
	return outbox_take(&engine->shared.outbox);
}

void engine_gate_set(struct engine *engine, int32_t partition, uint32_t epoch) {
	struct inbox_message message = { .kind = INBOX_SWEEP };

	if (partition < 0 || partition >= ENGINE_GATE_COUNT) {
		log_error("no gate for this partition", "partition=%d max=%d", partition,
			  ENGINE_GATE_COUNT - 1);
		return;
	}
	if (atomic_exchange(&engine->shared.gates[partition], epoch) &&
	    !atomic_load(&engine->stopped))
		broadcast(engine, &message);
}

void engine_lease_set(struct engine *engine, int64_t until_us) {
	atomic_store(&engine->shared.lease_until_us, until_us);
}

bool engine_lease_holds(const struct engine *engine) {
	return engine_shared_lease_holds(&engine->shared);
}

void engine_drop_endpoint(struct engine *engine, const struct uuid *webhook_id) {
	struct inbox_message message = { .kind = INBOX_DROP, .webhook_id = *webhook_id };

	if (!atomic_load(&engine->stopped))
		broadcast(engine, &message);
}

int engine_reload_files(struct engine *engine, const struct config *config) {
	int r = 0;

	if (tls_authorities_reload(engine->shared.authorities, config->endpoint_ca_file))
		r |= ENGINE_E_AUTHORITIES;
	if (proxy_reload(&engine->shared.proxy, config))
		r |= ENGINE_E_PROXY_PASSWORD;
	return r;
}

bool engine_wait_idle(struct engine *engine, int64_t timeout_ms) {
	struct engine_shared *shared = &engine->shared;
	int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
	struct timespec deadline = { .tv_sec = deadline_us / 1000000,
				     .tv_nsec = deadline_us % 1000000 * 1000 };
	bool idle;

	pthread_mutex_lock(&shared->idle_mutex);
	while (!(idle = atomic_load(&shared->counters.in_flight) == 0))
		if (pthread_cond_timedwait(&shared->idle, &shared->idle_mutex, &deadline))
			break;
	pthread_mutex_unlock(&shared->idle_mutex);
	return idle;
}

const struct engine_counters *engine_counters(const struct engine *engine) {
	return &engine->shared.counters;
}

int64_t engine_certificate_expires_s(const struct engine *engine) {
	return atomic_load(&engine->shared.client_certificate.expires_s);
}

bool engine_proxy_fails(const struct engine *engine) {
	return proxy_fails(&engine->shared.proxy);
}

void engine_histogram(const struct engine *engine, uint64_t counts[ENGINE_BUCKET_COUNT + 1],
		      double *sum_seconds) {
	for (size_t i = 0; i <= ENGINE_BUCKET_COUNT; i++)
		counts[i] = atomic_load_explicit(&engine->shared.counters.durations[i],
						 memory_order_relaxed);
	*sum_seconds = (double)atomic_load_explicit(&engine->shared.counters.duration_sum_us,
						    memory_order_relaxed) /
		       1e6;
}
