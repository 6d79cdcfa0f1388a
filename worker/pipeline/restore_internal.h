/* What the two halves of a restore share: reading the changelog (restore.c), and writing it to the
 * replica (restore_write.c). */
#pragma once

#include "base/backoff.h"
#include "base/buffer.h"
#include "pipeline/history.h"
#include "pipeline/portion.h"
#include "pipeline/restore.h"

struct restore {
	struct partition *partition;
	struct restore *next;
	uint32_t source;     /* of its records in the fold; another one after it began anew, so that
				what was read before is not written */
	size_t unwritten;    /* records that were read and are not in the replica, or not with their
				offset */
	int64_t next_offset; /* read up to here */
	int64_t target;      /* the high watermark to reach; -1: not asked for yet */
	int64_t verify_offset; /* of the position record that the replica reflected last; -1: from
				  scratch */
	bool moved;
	bool at_end;
	const char *torn;       /* NULL, or why */
	char *last_writer;      /* owned; the worker whose position was the last; NULL: none yet */
	int64_t takeover_at_ms; /* when to end the transaction that holds it back; 0: none does */
	int64_t records, started_ms, progress_ms, loud_ms;
	struct history history;
	struct buffer
	    position; /* the last position's record as it was encoded; empty: none was read */
};

struct restorer {
	struct restorer_settings settings;
	restore_done_fn done;
	void *userdata;
	struct replica *replica;
	rd_kafka_t *reader, *watermark; /* exist while something is restored */
	rd_kafka_queue_t *queue;
	rd_kafka_topic_t *topic; /* of the reader */
	bool knows_leaders;
	struct backoff ask_backoff; /* of the changelog's ends and leaders */
	struct restore *restores;
	struct fold *fold; /* what was read of all of them, behind what is in `portion` */
	struct portion portion;
	int write_error; /* a negative errno of the replica that a thread met; the next step returns
			    it */
	uint32_t last_source;
	struct arena *arena;
	bool assignment_stale;
	int64_t nudge_at_ms; /* when fetching is to be kept going next */
	int32_t nudged_partition;
	int64_t report_at_ms, reported_left; /* when to tell of the progress next, and what was left
						when it was told last */
};

/* Whether what was read has to be written before more is read: there is much of it, or a partition
 * waits for nothing else. */
bool restore_write_is_due(const struct restorer *restorer);
/* Whether it has to, and a thread still writes what was read before: its end wakes the pipeline. */
bool restore_write_waits(const struct restorer *restorer);
/* If so, does what can be done meanwhile. */
void restore_write_prepare(struct restorer *restorer);

/*
 * Writes for about so long, and commits; or has a thread write. Not while it waits. Returns 1 when
 * more is left, 0 when the replica holds everything that was read and says so (the partitions'
 * offsets), or a negative errno.
 */
int restore_write_slice(struct restorer *restorer, int64_t deadline_ms) _must_check_;
/* Waits for the thread, if there is one: before anything else is done with the replica. */
void restore_write_settle(struct restorer *restorer);
