/*
 * Which partitions are this worker's, and how far each of them is. The arrows of partition.h:
 *
 *     ownership_assign      ABSENT, SUSPENDED ─► RESTORING; SUSPENDED ─► ABSENT where it is others'
 *     ownership_restore     RESTORING: is restored; ─► FAILED where its history is torn
 *     ownership_activate    RESTORING ─► ACTIVE, once it is known where its inputs go on
 *     ownership_resync      ACTIVE ─► RESTORING
 *     ownership_suspend     all but ABSENT ─► SUSPENDED
 *
 * The pipeline's thread only.
 */
#pragma once

#include "pipeline/ownership_settings.h"
#include "pipeline/step.h"

struct ownership;

struct ownership *ownership_new(const struct ownership_settings *settings, int32_t partition_count);
void ownership_free(struct ownership *ownership);
DEFINE_CLEANUP(struct ownership, ownership_free)

/* The table, for the turns. Borrowed. */
struct partitions *ownership_partitions(struct ownership *ownership);
bool ownership_has(const struct ownership *ownership, enum partition_state state);

/*
 * Follows an assignment (R3): each of its partitions is restored. Ends with STEP_FATAL (logged)
 * where it is not of whole partitions, or the topics are no longer those that the worker knows.
 */
struct step ownership_assign(struct ownership *ownership,
			     const rd_kafka_topic_partition_list_t *list) _must_check_;
/* No attempt begins from now on (R5). */
void ownership_close_gates(struct ownership *ownership);
/* Nothing is served any more, until the next assignment. */
void ownership_suspend(struct ownership *ownership);
/* What the brokers hold is not known: all that is served is restored again (R9). */
void ownership_resync(struct ownership *ownership);

/*
 * A slice of the restores, of about `budget_ms`. The replica that they write to is theirs alone
 * while restorer_owns_replica.
 */
struct step ownership_restore(struct ownership *ownership, int64_t budget_ms) _must_check_;
/*
 * Restored partitions, if there are any, become active, one at least and then for about
 * `budget_ms`: their backlogs are walked. `client` asks the brokers, once for all. Ends with
 * STEP_REREAD where one became active.
 */
struct step ownership_activate(struct ownership *ownership, struct replica *replica,
			       rd_kafka_t *client, int64_t budget_ms) _must_check_;

/* How often in a row the brokers did not tell where inputs go on. */
int ownership_failures(const struct ownership *ownership);
