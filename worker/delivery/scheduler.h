/*
 * Which job begins next: a queue per webhook, served round-robin, within bounds per webhook and per
 * host. Every step is O(1) in the number of jobs, queues and hosts. Each delivery thread has one;
 * it knows nothing of curl.
 *
 *     freed ◄── IDLE ◄──────► READY ◄──────► AWAITS_HOST, AWAITS_RESOLVER
 *
 *     from             to               because                            in
 *     IDLE             READY (ring)     it has jobs and room in flight     scheduler_queue_settle
 *     READY            IDLE             its turn: a job begins             scheduler_next
 *     READY            AWAITS_HOST      its host is full                   scheduler_next
 *     READY            AWAITS_RESOLVER  too many names are being resolved  scheduler_next
 *     AWAITS_HOST      READY            its host has room                  wake_host_waiter
 *     AWAITS_HOST      READY            its host has an address            scheduler_host_resolved
 *     AWAITS_RESOLVER  READY            a look-up ended                    wake_resolver_waiter
 *     any              IDLE             its jobs are refused               scheduler_queue_refuse
 *     IDLE             freed            nothing is queued or in flight     scheduler_queue_settle
 *
 * The jobs in flight to a host are counted here and not left to curl: in a transfer that curl
 * queues the timeouts are running.
 */
#pragma once

#include "delivery/job_list.h"
#include "delivery/scheduler_hosts.h"

/*
 * The bound in flight to a host until the first transfer to it has an address. Each of them may
 * hold a resolver thread, and all of them wait for the same answer.
 */
enum { SCHEDULER_UNRESOLVED_PER_HOST_MAX = 4 };

/*
 * The same bound over all hosts of all threads. libcurl resolves a name in a thread of its own;
 * while the name server hangs that thread lives until the C library gives up. Many such names must
 * not become as many threads.
 *
 * Hosts have different shares of it, by how their last look-up ended: half where it failed, three
 * quarters where none is known, all of it where it succeeded. So a host that resolves does not wait
 * behind any number of names that do not, and a new host does not wait behind names that failed.
 */
enum { SCHEDULER_UNRESOLVED_MAX = 512 };

struct scheduler_queue;

struct scheduler {
	struct scheduler_queue *queues; /* by webhook id */
	struct scheduler_queue *ready;  /* ring */
	struct scheduler_queue *awaiting_resolver[RESOLVE_STATE_COUNT];
	struct scheduler_hosts hosts;
	int unresolved; /* in flight to hosts without an address */
	int max_per_endpoint;
	int max_per_host;
	int max_unresolved;
};

/* A job in flight, with the queue and the host that count it. */
struct scheduler_claim {
	struct job *job; /* owned */
	struct scheduler_queue *queue;
	struct scheduler_host *host;
};

void scheduler_init(struct scheduler *scheduler, int max_per_endpoint, int max_per_host,
		    int max_unresolved);
/* Aborts where something is queued or in flight. */
void scheduler_destroy(struct scheduler *scheduler);

/* Takes a job into its webhook's queue. Where its route has another url than the queue, the jobs
 * that were queued for the old url go to `refused`. */
void scheduler_add(struct scheduler *scheduler, struct job *job, struct job_list *refused);

/* Takes the next job that may be in flight, for a claim that is to be released. Returns false when
 * there is none. */
bool scheduler_next(struct scheduler *scheduler, struct scheduler_claim *out) _must_check_;

/* Whether a queue is ready; its job may still have to wait for its host or for a resolver. */
bool scheduler_has_ready(const struct scheduler *scheduler);

/* A transfer to the claim's host has an address: the host's bound is the full one from now on. */
void scheduler_host_resolved(struct scheduler *scheduler, struct scheduler_host *host);
/* The name of a claim's host did not resolve. */
void scheduler_host_resolve_failed(struct scheduler *scheduler, struct scheduler_host *host);

/*
 * A probe to the host, begun at `at_us` (monotonic), succeeded: older connections may lead to an
 * address that the host has left, and are not used any more. For `pause_us` after such a change
 * further ones are ignored, so that endpoints which fail and recover in turns do not cost the
 * others of their host its connections.
 */
void scheduler_host_renew_connections(struct scheduler_host *host, int64_t at_us, int64_t pause_us);

/* The claim is over. Its job is the caller's. */
void scheduler_release(struct scheduler *scheduler, const struct scheduler_claim *claim);

/* Moves the queued jobs of a webhook to `refused`. */
void scheduler_drop(struct scheduler *scheduler, const struct uuid *webhook_id,
		    struct job_list *refused);

/* Moves every queued job for which `keep` returns false to `refused`; all of them where `keep` is
 * NULL. */
void scheduler_sweep(struct scheduler *scheduler,
		     bool (*keep)(const struct job *job, void *userdata), void *userdata,
		     struct job_list *refused);

/* How many queues there are: only those with something queued or in flight. */
size_t scheduler_queue_count(const struct scheduler *scheduler);
