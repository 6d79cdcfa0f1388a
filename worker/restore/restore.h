/*
 * One restore: a partition of the replica is brought up to date with the changelog.
 *
 * A restore reads with read_committed, from the position record that the replica reflects last, up
 * to a target: the high watermark that a read_uncommitted client was told after the partition was
 * assigned. It ends at a partition EOF at or past the target (R1): every transaction that was open
 * when the target was asked for has ended by then. On the way every position record is checked
 * (R8): one store id, a rising sequence, as many records as it counts, and none behind the last. A
 * history that breaks these rules is torn, and the partition is not served.
 *
 *     STARTING ── restore_set_target ─────────────────────────► READING
 *     READING ─── restore_take_end, at or past the target ────► READ
 *     READ ────── restore_set_written ────────────────────────► DONE
 *
 *     STARTING ── restore_set_target, nothing to read ────────► DONE
 *     READING, READ ── restore_take_record, restore_set_torn ─► TORN
 *     READING ─── restore_take_end, behind the last position ─► TORN
 *     any but TORN ─── restore_begin_again ───────────────────► STARTING
 *
 * While it is READING an open transaction may hold it: restore_take_end before the target begins
 * that, restore_take_record ends it.
 *
 * restore_begin_again starts from scratch, after the replica's rows of the partition were dropped:
 * no row may outlive its record in the changelog. The reasons for it are found by restore_begin,
 * restore_check_target, restore_take_record and restore_check_done, which return them.
 *
 * Functions of values: no clock, no broker, no replica. restorer.h runs restores.
 */
#pragma once

#include "base/buffer.h"
#include "restore/history.h"
#include "restore/metrics.h"

enum restore_state {
	RESTORE_STARTING, /* the target is not known */
	RESTORE_READING,
	RESTORE_READ, /* read to the end, and not all of it is in the replica */
	RESTORE_DONE,
	RESTORE_TORN,
};

enum restore_end {
	/* The partition is as this worker knew it: no other has owned it since. */
	RESTORE_END_UNMOVED,
	RESTORE_END_MOVED,
	RESTORE_END_TORN, /* not to be served */
};

struct restore {
	struct restore *next;
	int32_t partition;
	/* Of its records in the fold. A restore that begins again has another one, so that the
	 * records that were read before are not written. */
	uint32_t source;
	struct restore_gauges *gauges; /* borrowed */
	struct position known;         /* the last one that this worker knows; no member_id */

	int64_t next_offset; /* the next to be read */
	int64_t target;      /* -1: not known yet */
	/* Of the position record that the replica reflects last, which is to be found again; -1: it
	 * was found, or the restore is from scratch. */
	int64_t verify_offset;
	bool at_end;
	bool moved;       /* a record was read that the replica did not reflect, or from scratch */
	size_t unwritten; /* records that were read; the replica does not say that it has them */
	const char *torn; /* static text; NULL: not torn */
	struct history history;
	struct buffer position; /* the last position record as it was encoded; empty: none read */
	char *last_writer;      /* owned; the worker of the last position; NULL: none yet */

	int64_t takeover_at_ms; /* when to end the transaction that holds it; 0: none does */
	int64_t records, started_ms;
	int64_t record_at_ms; /* when a record was read last */
	int64_t stuck_at_ms;  /* when restore_is_stuck was true last */
};

/* All `now_ms` are monotonic. */
struct restore_request {
	int32_t partition;
	const struct position *known;  /* copied; sequence 0: none */
	struct restore_gauges *gauges; /* borrowed until the restore is gone */
};
struct restore *restore_new(const struct restore_request *request, uint32_t source, int64_t now_ms);
void restore_free(struct restore *restore);

enum restore_state restore_state(const struct restore *restore);

/* What the replica holds of the partition. */
struct restore_stored {
	int64_t offset;                  /* the next one that its rows do not reflect; <= 0: none */
	int64_t stored_at_ms;            /* wall; when it was stored */
	const struct position *position; /* NULL: none */
};
/* Chooses the offset to read from: that of the stored position record, which must still be the same
 * in the changelog (R7). Returns NULL, or why the restore has to begin again, from scratch. */
const char *restore_begin(struct restore *restore, const struct restore_stored *stored,
			  int64_t wall_ms) _must_check_;
/* From scratch. The caller has dropped the partition's rows. */
void restore_begin_again(struct restore *restore, uint32_t source);
/* Whether beginning again gives up something: not of an empty replica. */
bool restore_has_begun(const struct restore *restore);

/* Returns NULL, or why the restore has to begin again: the replica reflects more than a changelog
 * that ends at `high`. */
const char *restore_check_target(const struct restore *restore, int64_t high) _must_check_;
/* The changelog reaches from `low` to `high`, the target. */
void restore_set_target(struct restore *restore, int64_t low, int64_t high);

/* A record of the changelog; all is borrowed. */
struct restore_record {
	int64_t offset;
	bool is_position;
	const struct position *position; /* NULL: it cannot be decoded, or is none */
	const void *value;               /* a position's, encoded */
	size_t len;
};
/* Whether the record at this offset is to be taken: not one that was taken, nor after a tear. */
bool restore_wants(const struct restore *restore, int64_t offset);
/* Takes a record that restore_wants. Returns NULL, or why the restore has to begin again. */
const char *restore_take_record(struct restore *restore, const struct restore_record *record,
				int64_t now_ms) _must_check_;
/* A partition EOF at `offset`. A read_committed reader meets one where the first open transaction
 * begins. At the target, records behind the last position make it torn (R8). */
void restore_take_end(struct restore *restore, int64_t offset, int64_t now_ms);

/* A record of the history cannot be decoded. `why` is static text. */
void restore_set_torn(struct restore *restore, const char *why);
/* All that was read is in the replica, with its offset. */
void restore_set_written(struct restore *restore);

/* Of a restore that is DONE: returns NULL, or why it has to begin again. */
const char *restore_check_done(const struct restore *restore) _must_check_;
/* Of a restore that is DONE or TORN. */
enum restore_end restore_end(const struct restore *restore);

/*
 * The worker whose transaction is to be ended now, or NULL. A transaction that holds the restore
 * for longer than a commit takes was left open by a worker that died: most likely by the one that
 * wrote the last position. This worker's own producer has settled its transactions before.
 */
const char *restore_find_dead_writer(const struct restore *restore, const char *own_id,
				     int64_t now_ms);
/* The transaction of `worker_id`, if the restore waits for one of it, is not ended before. */
void restore_put_off_takeover(struct restore *restore, const char *worker_id, int64_t until_ms);

/* Whether no record was read for three minutes (R1); true once in three minutes. */
bool restore_is_stuck(struct restore *restore, int64_t now_ms);
