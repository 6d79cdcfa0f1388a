/*
 * The delivery engine: N threads, each one epoll loop over sharded curl multi handles, that make
 * the attempts. It decides nothing about a delivery's life: it takes jobs, makes one attempt of
 * each, and gives them back with a result. The only folder that knows curl's multi interface.
 *
 *     engine_submit ──► inbox ──► endpoint queue ──► round robin ──► sign, POST ──► outbox ──►
 * engine_collect (pipeline)       (mutex)    (per webhook)      (thread) (mutex)     (pipeline)
 *
 * An endpoint is one webhook with its url: its queue and its bound in flight are its own. Endpoints
 * of one host live on one thread, whose connections are pooled by host.
 *
 * The gate: a job belongs to an assignment epoch of its partition. Immediately before an attempt
 * begins the thread compares the job's epoch with the gate's; where they differ the attempt is not
 * made (R4, R5). Immediately before its request is sent it compares again.
 *
 * An attempt may send its request twice: one that went over a kept connection which ended before
 * anything of an answer came goes out again at once, over a fresh connection and past the same gate
 * and lease, within the same time. A receiver may end a kept connection at any moment, and knows
 * what it had begun to handle by its webhook-id. What comes of the second is the attempt's result.
 * Source: RFC 9112 section 9.3.1, RFC 9110 section 9.2.2.
 *
 * The lease: a worker that was stopped for a while does not know yet, when it wakes, that its
 * partitions are others' now. So nothing begins and no request is sent past the time up to which it
 * is proven that they are not. Jobs wait meanwhile; a lease that is renewed lets them go.
 */
#pragma once

#include "base/config.h"
#include "base/uuid.h"
#include "domain/attempt.h"
#include "domain/delivery.h"
#include "domain/url.h"
#include "signature/signer.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Where an endpoint's callbacks go and who signs them: immutable, counted, shared by the jobs of
 * one webhook until it changes. */
struct route {
	atomic_int references;
	struct uuid webhook_id;
	char *tenant_id;        /* owned */
	char *url;              /* owned; normalised */
	struct url_parts parts; /* of `url`; in `storage` */
	char *storage;          /* owned */
	char *host_key;     /* owned; "host:port", by which connections are pooled and bounded */
	uint64_t host_hash; /* of `host_key`: chooses the thread and the shard */
	struct Curl_URL *location; /* owned; `url` as curl parsed it */
	struct signer *signer;     /* counted */
};

struct route *route_new(const struct uuid *webhook_id, const char *tenant_id, const char *url,
			struct signer *signer);
struct route *route_ref(struct route *route);
void route_unref(struct route *route);
DEFINE_CLEANUP(struct route, route_unref)

enum job_end {
	JOB_ATTEMPTED, /* `result` says how it went */
	JOB_REFUSED, /* not attempted: the gate was closed, the lease over, the endpoint dropped, or
			the engine is stopping */
};

/* One attempt to be made. One allocation; the pipeline makes it, the engine owns it between submit
 * and collect. */
struct job {
	struct job *next;         /* for whoever owns it */
	struct route *route;      /* counted */
	struct delivery delivery; /* its strings and body live behind the job */
	int32_t partition;
	uint32_t epoch;
	bool is_probe; /* of an endpoint whose breaker is open: over a connection of its own, to
			  where the name points now */
	enum job_end end;
	struct attempt_result result;
	char *error; /* owned; in words, where an attempt got no answer; else NULL */
};

/* Copies the delivery into a new job. Takes a reference of the route. */
struct job *job_new(const struct delivery *delivery, struct route *route, int32_t partition,
		    uint32_t epoch);
void job_free(struct job *job);
DEFINE_CLEANUP(struct job, job_free)

struct engine_counters { /* all since start, except the last three */
	atomic_uint_fast64_t attempts[ATTEMPT_REASON_COUNT];
	atomic_uint_fast64_t connections_opened;
	atomic_uint_fast64_t
	    worked_us; /* of all threads together: when they did not wait for anything to happen */
	atomic_int in_flight;
	atomic_int queued;
	atomic_int connections;
};

struct engine;

/* `config` is borrowed for the engine's life. `notify` is called from the delivery threads whenever
 * the outbox became non-empty. `version` goes into user-agent. */
int engine_new(const struct config *config, const char *version, void (*notify)(void *userdata),
	       void *userdata, struct engine **out) _must_check_;
/* Stops the threads: attempts in flight are given `grace_ms` to end, the rest is refused; what
 * ended can still be collected. Safe on NULL. */
void engine_stop(struct engine *engine, int64_t grace_ms);
/* Stops it without grace where it still runs. Jobs not collected are freed. */
void engine_free(struct engine *engine);
DEFINE_CLEANUP(struct engine, engine_free)

/* Takes a list of jobs (linked by `next`). Never blocks; the pipeline bounds how many are
 * outstanding. */
void engine_submit(struct engine *engine, struct job *jobs);

/* Everything that ended so far, in the order of ending, linked by `next`; NULL when nothing did.
 * The caller owns it. */
struct job *engine_collect(struct engine *engine);

/* The gate of a partition: jobs of another epoch are refused from now on. 0 is never a valid epoch:
 * it closes. Any thread. */
void engine_gate_set(struct engine *engine, int32_t partition, uint32_t epoch);

/* Up to when (monotonic, microseconds) attempts may begin; before the first call none may. Any
 * thread. */
void engine_lease_set(struct engine *engine, int64_t until_us);

/* Has the queued jobs of a webhook refused, because its url, key or state changed. Attempts in
 * flight go on. */
void engine_drop_endpoint(struct engine *engine, const struct uuid *webhook_id);

/* Waits until nothing is in flight, at most `timeout_ms`. Returns whether that is so. */
bool engine_wait_idle(struct engine *engine, int64_t timeout_ms);

const struct engine_counters *engine_counters(const struct engine *engine);

/* Attempt durations for the histogram: bucket i counts attempts of at most
 * engine_bucket_seconds[i]; the last is +Inf. */
enum { ENGINE_BUCKET_COUNT = 14 };
extern const double engine_bucket_seconds[ENGINE_BUCKET_COUNT];
void engine_histogram(const struct engine *engine, uint64_t counts[ENGINE_BUCKET_COUNT + 1],
		      double *sum_seconds);
