/*
 * Restores partitions of the replica from the changelog (restore.h), a step at a time between the
 * turns: partitions that are ready are served while others are restored.
 *
 *     ask the brokers for the targets and leaders                restorer_ask.h
 *        │
 *        ├──► read: records are folded by key                    restorer_take.h
 *        └──► or write: a batch of them goes into the replica    restorer_write.h
 *               │
 *     end the transactions of dead workers, end restores         restorer_end.h
 *
 * Each step reads or writes, never both: it is as short as its budget. Used by one thread.
 */
#pragma once

#include "restore/restore.h"
#include "restore/restorer_settings.h"

struct restorer;

struct restorer *restorer_new(const struct restorer_settings *settings);
void restorer_free(struct restorer *restorer);
DEFINE_CLEANUP(struct restorer, restorer_free)

/* The replica to write to; set again after its file was replaced. Borrowed. Not while partitions
 * are being restored. */
void restorer_set_replica(struct restorer *restorer, struct replica *replica);

/* Begins to restore a partition. Returns 0, -EPERM (logged) when there is no client, or a negative
 * errno of the replica; the partition is being restored after an error as well. */
int restorer_add(struct restorer *restorer, const struct restore_request *request) _must_check_;
/* Gives up on a partition, also on one that has ended and was not taken; nothing happens with any
 * other. The records that were written stay, and are read again next time. */
void restorer_remove(struct restorer *restorer, int32_t partition);
/* Whether the partition was added, and was neither removed nor taken. */
bool restorer_has(const struct restorer *restorer, int32_t partition);

/*
 * A step of at most about `budget_ms`. Returns 1 when there is more to do at once; 0 when it waits
 * for the brokers or for its thread, or has nothing to do; or a negative errno of the replica.
 */
int restorer_step(struct restorer *restorer, int64_t budget_ms) _must_check_;

struct restore_result {
	int32_t partition;
	enum restore_end end;
	struct position
	    position;            /* the last one of the changelog; sequence 0: none; no member_id */
	int64_t position_offset; /* of its record; -1: none */
};
/* Takes the next partition that has ended. Returns false when there is none. */
bool restorer_take_ended(struct restorer *restorer, struct restore_result *out) _must_check_;

/* Whether a thread is filling the replica, which is its alone meanwhile. No partition is served
 * then: the first one is, once the file is full. */
bool restorer_owns_replica(const struct restorer *restorer);

/* How often in a row the brokers did not tell the changelog's ends or leaders. */
int restorer_failures(const struct restorer *restorer);
