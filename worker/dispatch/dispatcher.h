/*
 * The dispatcher: which pending deliveries are in memory, and when.
 *
 * The replica holds all pending deliveries, the engine makes attempts, and the dispatcher stands
 * between them. For each endpoint (a webhook with its url) it keeps at most a window of deliveries
 * in memory, and never more than a bound in all. So the backlog of one endpoint costs neither
 * memory nor another endpoint's time.
 *
 *     recorded ───────────► room in the window? ── yes ──► engine ──► outcome
 *        │                       │ no                                    │
 *        └── due later ──► replica ◄─ refused, or due again later ───────┘
 *                             │ due, and the window is half empty
 *                             └──────────────────────────► engine
 *
 * The pipeline's thread makes all calls, between its transactions (R4): only committed deliveries
 * are seen here. In the order of the pipeline's loop:
 *
 *     dispatcher_activate                      a partition's backlog is taken on, its gate opens
 *     dispatcher_return_job                    a job came back from the engine
 *     dispatcher_update_webhook, _update_keys  a commit changed them
 *     dispatcher_add_delivery                  a commit recorded or rescheduled it
 *     dispatcher_submit                        the chosen deliveries go to the engine
 *     dispatcher_refill                        windows are filled from the replica
 *     dispatcher_list_cancellations, _reports  what the next transaction has to write
 *     dispatcher_suspend, _forget              a partition is revoked, or lost
 *
 * The window of an endpoint (health.h) begins with one delivery. It doubles with each windowful of
 * successes, up to `delivery.max.in.flight.per.endpoint`; for an endpoint that answers promptly, up
 * to 2048. Status 429, 502, 503 and 504 halve it. An open breaker and Retry-After set it to one,
 * and hold the endpoint for a time in which no attempt begins (domain/breaker.h).
 *
 * Memory is divided into three lanes (lanes.h), so that endpoints that do not answer take neither
 * all memory nor all attempts in flight (M, `delivery.max.in.flight`), however many they are. The
 * end of an attempt decides in which lane its endpoint is from then on.
 *
 *     lane      its endpoints                                        in memory at most
 *     PROMPT    took their last delivery within a second             4 M, and 64 MiB
 *     UNPROVEN  have no attempt yet, or took it more slowly          M / 2, and 32 MiB
 *     FAILING   failed their last attempt                            M / 4, and 16 MiB
 *
 * Deliveries of the two lower lanes are waited for up to a timeout each. A quarter of M is always
 * left to prompt endpoints, which return their share within a second. UNPROVEN has twice the share
 * of FAILING, so that a new endpoint does not wait for the probes of dead ones. The lanes do not
 * help against prompt endpoints that all stop at one moment: each holds its bound in flight until
 * that times out, and is FAILING then.
 *
 * A delivery that an operator asks for now goes past the hold, and past those that are due before
 * it; to a held endpoint only while nothing else of it is in memory, so one at a time.
 *
 * A delivery whose webhook was deleted or disabled is cancelled: the next transaction ends it. Any
 * change of a webhook, or of its tenant's signing key, makes its endpoint rescan the replica at
 * once, whatever its window and its due times say: deliveries that wait for later may have to be
 * cancelled now.
 *
 * Parts, lowest first; each uses only those before it:
 * lanes, endpoint, outstanding, health, routing, refill, cancel, dispatcher.
 */
#pragma once

#include "base/config.h"
#include "delivery/engine.h"
#include "delivery/job.h"
#include "dispatch/cancel.h"
#include "dispatch/metrics.h"
#include "dispatch/partition.h"
#include "dispatch/report.h"
#include "dispatch/tenant_pending.h"
#include "replica/replica.h"
#include "signature/master_keys.h"

struct dispatcher;

/* All are borrowed for the dispatcher's life. */
struct dispatcher_settings {
	const struct config *config;
	const struct master_keys *master_keys;
	struct engine *engine;
	struct dispatch_metrics *metrics;
	struct tenant_pending *tenant_pending;
	int64_t (*monotonic_ms)(void); /* clock_monotonic_ms; a test has its own */
};

/* `now_ms` is wall time, here and below. */
struct dispatcher *dispatcher_new(const struct dispatcher_settings *settings, int64_t now_ms);
/* Safe on NULL. */
void dispatcher_free(struct dispatcher *dispatcher);
DEFINE_CLEANUP(struct dispatcher, dispatcher_free)

/* Borrows the replica to read from, until the next call. */
void dispatcher_set_replica(struct dispatcher *dispatcher, struct replica *replica);

/*
 * A partition became active: takes on its backlog, by endpoint and by tenant, and opens its gate.
 * `latest_ms` is the latest wall time of its transactions: one in the future tells of a clock that
 * was ahead (R10). `pending` is the number of its pending deliveries. Returns 0 or a negative errno
 * of the replica. Aborts for epoch 0, which closes a gate.
 */
int dispatcher_activate(struct dispatcher *dispatcher, struct dispatch_partition partition,
			int64_t latest_ms, int64_t now_ms, int64_t *pending) _must_check_;
/* Closes the partition's gate: no attempt begins from now on. Those in flight go on, and the
 * endpoints stay known. */
void dispatcher_suspend(struct dispatcher *dispatcher, int32_t partition_id);
/* Forgets the partition's endpoints and its deliveries in memory. Their outcomes that still come
 * are of an older epoch. */
void dispatcher_forget(struct dispatcher *dispatcher, int32_t partition_id);

/* A delivery that a commit recorded or rescheduled. */
struct dispatch_added {
	struct dispatch_partition partition;
	struct delivery delivery;
	bool is_whole;     /* else without its texts and its body, which are read when it is due */
	bool is_asked_for; /* an operator wants it sent now */
};

/* The delivery is copied. */
void dispatcher_add_delivery(struct dispatcher *dispatcher, const struct dispatch_added *added,
			     int64_t now_ms);
/* A commit changed the webhook, or deleted it (NULL). Before the deliveries of the same commit. */
void dispatcher_update_webhook(struct dispatcher *dispatcher, const struct uuid *webhook_id,
			       const struct webhook *webhook);
/* A commit changed the signing keys of these tenants. Sorts the array. One call for all of them:
 * each call walks all endpoints. */
void dispatcher_update_keys(struct dispatcher *dispatcher, const char **tenant_ids, size_t count);
/* A job came back: its delivery leaves memory. That of a refused job is due again at once. The job
 * stays the caller's. */
void dispatcher_return_job(struct dispatcher *dispatcher, const struct job *job, int64_t now_ms);
/* Hands the deliveries that were chosen since the last call to the engine. */
void dispatcher_submit(struct dispatcher *dispatcher);

/* Fills the windows of due endpoints from the replica, for 10 ms a lane at most, and submits.
 * Returns 0 or a negative errno of the replica. */
int dispatcher_refill(struct dispatcher *dispatcher, int64_t now_ms) _must_check_;
/* When (wall) dispatcher_refill has something to do next; INT64_MAX: not before another call. */
int64_t dispatcher_next_due_ms(const struct dispatcher *dispatcher);

/*
 * How many deliveries wait for a thread, to endpoints that answer promptly, at most 64 of each:
 * work that is sure to keep the threads busy. It leaves out all that is in flight, or has ended and
 * is not committed, so that it is rather too low.
 */
size_t dispatcher_waiting(const struct dispatcher *dispatcher);

/* Up to `limit` cancellations for the next transaction (cancel.h), in the arena. Those that it does
 * not commit are listed again. Returns 0 or a negative errno of the replica. */
int dispatcher_list_cancellations(struct dispatcher *dispatcher, struct arena *arena, size_t limit,
				  struct dispatch_cancellation **out, size_t *count) _must_check_;
bool dispatcher_has_cancellations(const struct dispatcher *dispatcher);

/* Up to `limit` reports for the next transaction (report.h), in the arena. Their texts are borrowed
 * until the dispatcher is next changed. */
size_t dispatcher_list_reports(const struct dispatcher *dispatcher, struct arena *arena,
			       size_t limit, struct dispatch_report **out);
/* The first `count` reports are committed. */
void dispatcher_end_reports(struct dispatcher *dispatcher, size_t count);
