/*
 * From the replica to the delivery engine: which pending deliveries are in memory. The replica
 * holds them all; in memory are, for each endpoint, at most a window of those that are due, and
 * never more than a bound in all, so that one endpoint's backlog is neither memory nor another's
 * wait. A window begins with one and doubles with success.
 *
 *     recorded ──────────────► room in the window? ── yes ──► engine ──► outcome
 *         │                          │ no                                  │
 *         └── due later ──► replica ◄┘ ◄── refused, or due again later ────┘
 *                             │ due, and the window is half empty
 *                             └────────────────────────────────► engine
 *
 * The bound is one for each of three lanes, so that a crowd of endpoints that do not answer holds
 * neither all memory nor all that may be in flight (M, delivery.max.in.flight). An attempt's end
 * says in which lane its endpoint is from then on.
 *
 *     lane      its endpoints                                             in memory, at most
 *     PROMPT    took their last delivery within a second                  4 M (and no more than M
 * in flight) UNPROVEN  nothing is known of them yet, or they take their time     M / 2 FAILING
 * failed their last attempt                                 M / 4
 *
 * What is in the two lower lanes is waited for long, up to a timeout each; whatever their number, a
 * quarter of M is left for the prompt ones, which give back what they hold at once. Unproven ones
 * have more than failing ones, so that a new endpoint does not wait for the probes of the dead.
 * What the lanes cannot help: endpoints that were prompt and all stop at the same moment hold what
 * they have in flight, at most a per-endpoint bound each, until it times out; then they are
 * failing.
 *
 * Everything here runs in the pipeline's thread, between the turns (R4): only committed deliveries
 * are seen.
 */
#pragma once

#include "base/config.h"
#include "delivery/engine.h"
#include "delivery/job.h"
#include "domain/endpoint_report.h"
#include "pipeline/metrics.h"
#include "pipeline/partition.h"
#include "pipeline/tenant_pending.h"
#include "replica/replica.h"
#include "signature/master_keys.h"

struct dispatch;

struct dispatch_settings {
	const struct config *config;
	const struct master_keys *master_keys;
	struct engine *engine;
	struct pipeline_metrics *metrics;
	struct tenant_pending *tenant_pending;
};

struct dispatch *dispatch_new(const struct dispatch_settings *settings);
void dispatch_free(struct dispatch *dispatch);
DEFINE_CLEANUP(struct dispatch, dispatch_free)

/* The replica to read from; set anew after the file was made anew. */
void dispatch_set_replica(struct dispatch *dispatch, struct replica *replica);

/* A partition became active: its backlog in the replica becomes known, also by tenant; its gate
 * opens. Returns 0 or a negative errno. */
int dispatch_activate(struct dispatch *dispatch, const struct partition *partition) _must_check_;
/* Its gate closes: no attempt begins from now on. Those in flight go on. */
void dispatch_suspend(struct dispatch *dispatch, const struct partition *partition);
/* Its endpoints and what is in memory of it are forgotten; outcomes that still come are of an older
 * epoch. */
void dispatch_forget(struct dispatch *dispatch, const struct partition *partition);

/*
 * After a commit: a delivery that it recorded or rescheduled (which, unless it is whole, has no
 * texts and is looked up when its turn comes), a webhook (NULL: deleted) that it changed, and the
 * tenants whose keys it changed (sorted here; all at once, for every endpoint is looked at).
 */
void dispatch_delivery(struct dispatch *dispatch, const struct partition *partition,
		       const struct delivery *delivery, bool is_whole);
void dispatch_webhook_changed(struct dispatch *dispatch, const struct uuid *webhook_id,
			      const struct webhook *webhook);
void dispatch_keys_changed(struct dispatch *dispatch, const char **tenant_ids, size_t count);

/*
 * Whether there is work in memory for a while, for many endpoints that all answer promptly: of each
 * no more than a few count, so that no crowd of deliveries for a few endpoints makes it so.
 */
bool dispatch_is_ample(const struct dispatch *dispatch);

/* Hands what the calls above chose to the engine, in one go. */
void dispatch_submit(struct dispatch *dispatch);

/* A job came back, before what follows from it is written: it leaves memory. A refused one is due
 * again at once. */
void dispatch_returned(struct dispatch *dispatch, const struct job *job);

/* Fills the windows of the endpoints that are due from the replica. Returns 0 or a negative errno.
 */
int dispatch_refill(struct dispatch *dispatch, int64_t now_ms) _must_check_;

/* When (wall) dispatch_refill has something to do next; INT64_MAX: nothing until something changes.
 */
int64_t dispatch_next_due_ms(const struct dispatch *dispatch);

/*
 * Endpoints whose webhook is gone or disabled: up to `limit` of their pending deliveries, to be
 * ended in the next turn, and fewer where their bodies make reading long. What is not ended then is
 * found again. `reason` says why ("webhook-deleted", "webhook-disabled"). Returns 0 or a negative
 * errno.
 */
struct withdrawal {
	struct delivery delivery; /* without its body */
	int32_t partition;
	const char *reason;
};
int dispatch_withdrawals(struct dispatch *dispatch, struct arena *arena, size_t limit,
			 struct withdrawal **out, size_t *count) _must_check_;
bool dispatch_has_withdrawals(const struct dispatch *dispatch);

/*
 * What the webhooks are to know of their endpoints: up to `limit` reports, to be handled in the
 * next turn. They live in the arena, and borrow from the dispatch until it is next changed.
 */
struct dispatch_report {
	struct endpoint_report report;
	int32_t partition;
};
size_t dispatch_reports(const struct dispatch *dispatch, struct arena *arena, size_t limit,
			struct dispatch_report **out);
/* After the commit: that many, the first ones, are done. */
void dispatch_reported(struct dispatch *dispatch, size_t count);
