/*
 * Restoring partitions of the replica from the changelog, a slice at a time between the turns, so
 * that partitions that are ready are served while others are not yet.
 *
 * A restore reads with read_committed from the record that the replica reflected last up to the
 * high watermark that a read_uncommitted client was told when the partition was assigned, and ends
 * at a partition EOF at or past it (R1): transactions that were open then have ended by then.
 * Records are folded by key and written sorted. On the way every position record is checked (R8):
 * one store id, a rising sequence, as many records as it counts. What does not fit is a torn
 * history: the partition fails loudly and is not served.
 */
#pragma once

#include "avro/codec.h"
#include "pipeline/metrics.h"
#include "pipeline/partition.h"
#include "rdkafka/client.h"
#include "rdkafka/topics.h"
#include "replica/replica.h"

struct restorer;

struct restorer_settings {
	const struct config *config;
	const struct topics *topics;
	struct codec *codec;
	struct pipeline_metrics *metrics;
	int wake_fd;
};

enum restore_end {
	RESTORE_UNMOVED, /* the changelog held nothing that the replica did not reflect: nobody else
			    has owned the partition */
	RESTORE_MOVED,
	RESTORE_TORN,
};

typedef void (*restore_done_fn)(void *userdata, struct partition *partition, enum restore_end end);

struct restorer *restorer_new(const struct restorer_settings *settings, restore_done_fn done,
			      void *userdata);
void restorer_free(struct restorer *restorer);
DEFINE_CLEANUP(struct restorer, restorer_free)

/* The replica to write to; set anew after the file was made anew. Not while partitions are being
 * restored. */
void restorer_set_replica(struct restorer *restorer, struct replica *replica);

/* Begins with a partition in state RESTORING. Returns 0, or a negative errno of the replica. */
int restorer_add(struct restorer *restorer, struct partition *partition) _must_check_;
/* Gives up on it; what was written stays and is read again next time. Nothing happens when it is
 * not being restored. */
void restorer_remove(struct restorer *restorer, struct partition *partition);

/*
 * A slice of work: at most about `budget_ms`. Calls `done` for each partition that ended: its
 * position is set then. Returns 1 when there is more to do at once, 0 when it waits for the brokers
 * or for its thread, or a negative errno of the replica.
 */
int restorer_step(struct restorer *restorer, int64_t budget_ms) _must_check_;

/* Whether a thread is filling the replica, which is its alone meanwhile. No partition is served
 * then: the first one is, once the file is full. */
bool restorer_has_replica(const struct restorer *restorer);

/* How often the changelog's ends or leaders were asked for in vain, in a row. */
int restorer_failures(const struct restorer *restorer);
