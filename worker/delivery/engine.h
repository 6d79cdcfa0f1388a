/*
 * The delivery engine: `delivery.threads` threads, each an epoll loop over curl multi handles. It
 * decides nothing about a delivery's life: it takes jobs, makes one attempt of each, and gives them
 * back with a result. This folder is the only one that knows curl's multi interface.
 *
 *     engine_submit ──► inbox ──► queue per webhook, ──► sign, POST ──► outbox ──► engine_collect
 *       (pipeline)     (mutex)      round robin           (thread)      (mutex)      (pipeline)
 *
 * An endpoint is one webhook with its url; it has a queue and a bound in flight of its own. All
 * endpoints of a host live on one thread, whose connections are pooled by host.
 *
 * The gate: a job belongs to an assignment epoch of its partition. Immediately before an attempt
 * begins, and again immediately before its request is sent, the thread compares the job's epoch
 * with the one that the partition's gate admits. Where they differ the job is refused (R4, R5).
 *
 * The lease: a worker that was stopped for a while may have lost its partitions before it wakes,
 * without knowing it. So no attempt begins, and no request is sent, past the time up to which its
 * membership is proven. Jobs wait in their queues meanwhile; a renewed lease lets them go.
 *
 * The proxy: with `endpoint.proxy` attempts go through it, apart from those to its exceptions.
 * While it is not reached their jobs are refused, with a time to wait (proxy.h).
 *
 * The repetition: a receiver may close a kept connection at any moment. A request that went over a
 * kept connection which ended before the first byte of an answer is sent once more at once: over a
 * fresh connection, past the same gate and lease, and within the same time. The result of the
 * second request is the attempt's result. A receiver that had begun to handle the first one
 * recognises the second by its webhook-id.
 * Source: RFC 9112 section 9.3.1, RFC 9110 section 9.2.2.
 */
#pragma once

#include "base/config.h"
#include "base/uuid.h"
#include "delivery/engine_counters.h"

#include <stdbool.h>

struct engine;
struct job;

/* Reads the files of the configuration as engine_new does. Returns 0, or a negative errno after
 * logging the key, the file and why it cannot be used. */
int engine_check_files(const struct config *config) _must_check_;
/*
 * Starts the threads. `config` is borrowed for the engine's life. `notify` is called from a
 * delivery thread whenever the outbox became non-empty. `version` goes into user-agent. Returns 0
 * or a negative errno, which the caller logs.
 */
int engine_new(const struct config *config, const char *version, void (*notify)(void *userdata),
	       void *userdata, struct engine **out) _must_check_;
/* Stops the threads: attempts in flight have `grace_ms` to end, all other jobs are refused. Jobs
 * that ended can still be collected. Safe on NULL, and a second time. */
void engine_stop(struct engine *engine, int64_t grace_ms);
/* Stops the threads without grace where they still run. Frees the jobs that were not collected.
 * Safe on NULL. */
void engine_free(struct engine *engine);
DEFINE_CLEANUP(struct engine, engine_free)

/* Takes a list of jobs, linked by `next`. Never blocks; the caller bounds how many are outstanding.
 */
void engine_submit(struct engine *engine, struct job *jobs);

/* The jobs that ended since the last call, in the order of ending and linked by `next`; NULL when
 * there is none. The caller owns them. */
struct job *engine_collect(struct engine *engine);

/* Opens the gate of a partition for one epoch: jobs of any other are refused from now on. Epoch 0
 * closes it. Any thread. */
void engine_gate_set(struct engine *engine, int32_t partition, uint32_t epoch);

/* Attempts may begin until `until_us` (monotonic); before the first call none may. Any thread. */
void engine_lease_set(struct engine *engine, int64_t until_us);
bool engine_lease_holds(const struct engine *engine);

/* Refuses the queued jobs of a webhook, because its url, key or state changed. Attempts in flight
 * go on. */
void engine_drop_endpoint(struct engine *engine, const struct uuid *webhook_id);

enum { ENGINE_E_AUTHORITIES = 1, ENGINE_E_PROXY_PASSWORD = 2 };

/* Reads the authorities that are trusted for endpoints, and the proxy's password, again from the
 * files that `config` names. Other authorities than before judge every receiver anew: no kept
 * connection and no TLS session of before is used any more. Returns 0, or one of the above or both
 * after logging which file cannot be used: what it had is kept. Any thread. */
int engine_reload_files(struct engine *engine, const struct config *config) _must_check_;

/* Waits until nothing is in flight, for at most `timeout_ms`. Returns whether nothing is. */
bool engine_wait_idle(struct engine *engine, int64_t timeout_ms);

const struct engine_counters *engine_counters(const struct engine *engine);

/* The end of the client certificate for endpoints, in seconds since 1970; 0: there is none. Any
 * thread. */
int64_t engine_certificate_expires_s(const struct engine *engine);

/* Whether endpoint.proxy is not reached: attempts through it wait then. Any thread. */
bool engine_proxy_fails(const struct engine *engine);

/* The histogram of attempt durations, and their sum. */
void engine_histogram(const struct engine *engine, uint64_t counts[ENGINE_BUCKET_COUNT + 1],
		      double *sum_seconds);
