/*
 * Turns: all that there is to do now becomes one Kafka transaction, then a savepoint of SQLite,
 * then work for the dispatcher.
 *
 *     take ──► begin ──► handle, write ──► flush ──► commit ──► COMMITTED ──► dispatch
 *               │             │              │          │
 *               └─────────────┴──────┬───────┴──────────┘
 *                                    ▼
 *                                  undone: aborted, or nobody knows; rolled back
 *
 * Outcomes of attempts come first, for they free memory; then what is bounded in number
 * (cancellations, reports, expiry); then commands, one by one, while there is room (turn_budget.h).
 *
 * Only a committed turn leads to anything outside (R4). An undone one leads to nothing: outcomes
 * wait for the next, commands are read again.
 */
#pragma once

#include "pipeline/step.h"
#include "pipeline/turn_settings.h"
#include "rdkafka/transaction.h"

struct turns;

struct turns *turns_new(const struct turns_settings *settings);
void turns_free(struct turns *turns);
DEFINE_CLEANUP(struct turns, turns_free)

/* The open files of a turn. Both may be others the next time. */
struct turn_stores {
	struct replica *replica;
	struct transaction *transaction;
};

/* Whether a turn may begin now: none was undone just before, a group fences it, the brokers do not
 * hold the producer up, and the schema's id of its events is known where their frame needs it. */
bool turns_may_run(const struct turns *turns);

/*
 * One turn. Ends with STEP_DONE where it was committed, or there was nothing to do, or nothing may
 * be written now, or it was put off; STEP_REREAD where it was undone; STEP_RESYNC where nobody
 * knows; or STEP_REPLICA_FAILED.
 */
struct step turns_run(struct turns *turns, const struct turn_stores *stores) _must_check_;
/* Whether turns_run left what there is to do, since there will soon be more (pace.h): it is to be
 * called again within some milliseconds. */
bool turns_are_put_off(const struct turns *turns);
/*
 * The same without commands, and never put off: before partitions are given away, and at the end.
 * `more`: the turn had no room for all outcomes.
 */
struct step turns_run_outcomes(struct turns *turns, const struct turn_stores *stores) _must_check_;
