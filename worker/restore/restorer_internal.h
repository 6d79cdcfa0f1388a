/* The restorer as its files share it. */
#pragma once

#include "base/backoff.h"
#include "restore/batch.h"
#include "restore/clients.h"
#include "restore/progress.h"
#include "restore/restorer.h"

struct restorer {
	struct restorer_settings settings;
	struct replica *replica; /* borrowed */

	struct restore *restores; /* owned */
	struct restore *ended;    /* owned; not taken yet */
	/* The restores of both lists, by partition; [by_partition_count]; the array is owned. */
	struct restore **by_partition;
	int32_t by_partition_count;
	uint32_t last_source;

	struct restore_clients clients;
	bool assignment_stale; /* the reader reads other partitions or offsets than it should */
	struct backoff ask_backoff; /* of the changelog's ends and leaders */

	struct fold *fold; /* owned; records that were read and are not in the batch */
	struct batch batch;
	int write_error;     /* a negative errno of the replica that the batch's thread met */
	struct arena *arena; /* of one poll */
	struct restore_progress progress;
};

/* The restore of a partition, also one that has ended; NULL: none. */
static inline struct restore *restorer_find(const struct restorer *restorer, int32_t partition) {
	return partition >= 0 && partition < restorer->by_partition_count
		   ? restorer->by_partition[partition]
		   : NULL;
}

/* restorer_write.c: writes the fold to the replica, a batch at a time, then the partitions'
 * offsets. */

/* Whether the records that were read have to be written before more are read: they are many, or a
 * partition waits for nothing else. */
bool restorer_write_is_due(const struct restorer *restorer);
/* Whether a write is due, and a thread still writes the batch before. Its end wakes the pipeline.
 */
bool restorer_write_is_blocked(const struct restorer *restorer);
/* Sorts the fold while a write is blocked. */
void restorer_write_prepare(struct restorer *restorer);
/*
 * Writes until the deadline and commits, or starts a thread that writes. Not while a write is
 * blocked. Returns 1 when more is left; 0 when the replica holds every record that was read, and
 * the partitions' offsets; or a negative errno.
 */
int restorer_write_slice(struct restorer *restorer, int64_t deadline_ms) _must_check_;
/* Waits for the batch's thread, if there is one: before any other use of the replica. */
void restorer_write_wait(struct restorer *restorer);

/* restorer_begin.c: the start of a restore, and every new start. Both return 0, or a negative errno
 * of the replica. */

/* Begins at the offset that the replica reflects, or from scratch. */
int restorer_begin(struct restorer *restorer, struct restore *restore) _must_check_;
/* Begins from scratch: drops the partition's rows. */
int restorer_begin_again(struct restorer *restorer, struct restore *restore,
			 const char *why) _must_check_;

/* restorer_ask.c: asks for the targets and the leaders that are not known. Returns 1 when all are,
 * 0 when the brokers did not tell, or it is too early to ask again; or a negative errno. */
int restorer_ask(struct restorer *restorer) _must_check_;

/* restorer_take.c: takes the records that have come, until the deadline. Returns whether there were
 * any, or a negative errno. */
int restorer_take(struct restorer *restorer, int64_t deadline_ms) _must_check_;

/* restorer_end.c */

/* Ends transactions that dead workers left open. */
void restorer_take_over(struct restorer *restorer);
/* Ends the restores that are done or torn. Returns 0; REPLICA_E_MORE when one is done and the
 * replica is not ready for its rows to be read; or a negative errno. */
int restorer_finish(struct restorer *restorer) _must_check_;
/* Takes a restore out of its list, and puts everything away after the last one. */
void restorer_unlink(struct restorer *restorer, struct restore *restore);
