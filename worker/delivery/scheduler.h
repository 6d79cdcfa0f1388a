/*
 * Whose turn it is: a queue per endpoint, served round-robin, within the bounds per endpoint and
 * per host. Every step is O(1) in the number of jobs, endpoints and hosts. One a delivery thread;
 * knows nothing of curl.
 *
 *                        ┌───────────── has jobs and room ──────────────┐
 *                        ▼                                              │
 *        IDLE ───► READY (ring of the thread) ──── its turn ────► a job in flight
 *                        │        ▲
 *        host is full    ▼        │  a job of the host ended
 *                     WAITING (list of its host)
 *                     CROWDED (lists of the thread) while too many hosts look for their address
 *
 * Our own count of what is in flight per host, instead of curl's: a transfer that curl queues has
 * its timeouts running.
 */
#pragma once

#include "delivery/job_list.h"

/*
 * In flight to a host before the first of them found its address: each may hold a resolver thread,
 * and the others would find what it found.
 */
enum { UNREACHED_HOST_MAX = 4 };

/*
 * The same over all hosts of all threads. libcurl resolves a name in a thread of its own, and one
 * whose name server hangs stays until the C library gives up; a crowd of such names must not become
 * a crowd of threads.
 */
enum { UNREACHED_MAX = 512 };

/*
 * What is known of a host from before it had no jobs for a while: who is well does not queue behind
 * a crowd of names that do not resolve, and who is new does not queue behind those that did not
 * resolve the last time. The lost may have half of UNREACHED_MAX, the unknown three quarters, those
 * that were reached all of it. So many of a kind are remembered; the longest unused are forgotten
 * first.
 */
enum standing { STANDING_LOST, STANDING_UNKNOWN, STANDING_REACHED, STANDING_COUNT };
enum { REMEMBERED_HOSTS_MAX = 4096 };

struct endpoint;
struct host;

struct scheduler {
	struct endpoint *endpoints; /* by webhook id */
	struct host *hosts;         /* by host key */
	struct endpoint *ready;
	struct endpoint *crowded[STANDING_COUNT];
	struct host *remembered[STANDING_COUNT]; /* lists; the longest unused first */
	int remembered_count[STANDING_COUNT];
	int unreached; /* in flight to hosts that are not reached */
	int max_per_endpoint;
	int max_per_host;
	int max_unreached;
};

/* A job in flight and whom its end concerns. */
struct claim {
	struct job *job; /* owned */
	struct endpoint *endpoint;
	struct host *host;
};

void scheduler_init(struct scheduler *scheduler, int max_per_endpoint, int max_per_host,
		    int max_unreached);
/* Nothing may be queued or in flight. */
void scheduler_destroy(struct scheduler *scheduler);

/* Queues a job. Where it shows that its webhook moved to another url, what was queued for the old
 * one is `refused`. */
void scheduler_add(struct scheduler *scheduler, struct job *job, struct job_list *refused);

/* The next job that may be in flight. Returns false when there is none. Each claim is to be
 * released. */
bool scheduler_next(struct scheduler *scheduler, struct claim *out) _must_check_;

bool scheduler_has_ready(const struct scheduler *scheduler);

/* A claim's host was resolved, or a connection to it was still there: its bound is the full one
 * from now on. */
void scheduler_reached(struct scheduler *scheduler, struct host *host);

/*
 * A probe that began at `at_us` (monotonic) got through: connections that are older lead to where
 * the host perhaps is no more. `pause_us` after one such word the next one counts, so that
 * endpoints that come and go do not cost the others of their host its connections.
 */
void scheduler_renewed(struct host *host, int64_t at_us, int64_t pause_us);
/* The last time that counted; 0: none. */
int64_t scheduler_renewed_us(const struct host *host);

/* The address of a claim's host was looked for in vain, as if for the first time. */
void scheduler_lost(struct scheduler *scheduler, struct host *host);

/* The claim's job, which now is the caller's, is no longer in flight. */
void scheduler_release(struct scheduler *scheduler, const struct claim *claim);

/* Refuses what is queued for a webhook. */
void scheduler_drop(struct scheduler *scheduler, const struct uuid *webhook_id,
		    struct job_list *refused);

/* Refuses every queued job that `keep` does not want; all of them where `keep` is NULL. */
void scheduler_sweep(struct scheduler *scheduler,
		     bool (*keep)(const struct job *job, void *userdata), void *userdata,
		     struct job_list *refused);

/* How many endpoints are remembered: only those with something queued or in flight. */
size_t scheduler_endpoint_count(const struct scheduler *scheduler);
