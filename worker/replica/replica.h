/*
 * The replica: the fold of the changelog in one SQLite file, a row a key, each with the encoded
 * record as it stands in the changelog and the columns that it is looked up by. It can be deleted
 * at any time and comes back from the changelog. The only folder that knows SQLite.
 *
 * It follows Kafka (R7): the pipeline applies changes inside an open turn, commits Kafka, and only
 * then ends the turn here, with the changelog offset that each partition now reflects stored in it.
 * Used by one thread; readers of other processes see the last commit (WAL).
 *
 *     turn_begin ──► apply ... ──► turn_end ──┬── the next turn_begin
 *         │            │ rollback             └── flush: one commit for all of them
 *         ◄────────────┘ (of this turn alone)
 *
 * A commit writes each page that was touched, so turns are gathered for a second, or until there
 * are no more, and share it: most deliveries come and go within that, and are never written. What
 * dies with the process is restored from the changelog, as its offset says.
 *
 * synchronous is OFF: a process that dies loses nothing, and a machine that dies is noticed by its
 * boot id, upon which the file is made anew. Likewise when the file is damaged, of another schema
 * version or of another Kafka cluster.
 */
#pragma once

#include "avro/codec.h"
#include "domain/registry.h"

#include <stdbool.h>

struct replica;

/* Sets SQLite up, for the process: before anything else of it, in a program that writes. Returns 0
 * or -EINVAL. */
int replica_init(void) _must_check_;

/*
 * Whether the folder and the replica in it may be trusted, by their owners and modes (folder.h),
 * and the folder can be used. Changes nothing. Returns 0, also when there is none yet and it can be
 * made; 1 with a sentence in `why`; or a negative errno.
 */
int replica_judge_folder(const char *data_dir, struct buffer *why) _must_check_;

/* Opens or makes <data_dir>/replica.db, locked against a second worker. `codec` is borrowed.
 * Returns 0, or a negative errno after logging; -EBUSY: another process has it; -EPERM: it cannot
 * be trusted. */
int replica_open(const char *data_dir, const char *cluster_id, struct codec *codec,
		 struct replica **out) _must_check_;
/* A file of a living or dead worker, to read only. */
int replica_open_readonly(const char *file, struct codec *codec, struct replica **out) _must_check_;
void replica_close(struct replica *replica);
DEFINE_CLEANUP(struct replica, replica_close)
/* Closes it and removes its file, after an error that leaves doubt about what is in it. */
void replica_discard(struct replica *replica);

/*
 * All below return 0 or a negative errno (-EIO for SQLite's errors, after logging them). After one
 * the turns that no commit has written may be gone: no turn begins or ends, and nothing is
 * committed, until it is opened again. Where SQLite, or a row, says that the file is damaged,
 * replica_close removes it, so that the next open makes it anew. Some return 1, REPLICA_E_MORE,
 * where there is more to do or to read.
 */
enum { REPLICA_E_MORE = 1 };
int replica_turn_begin(struct replica *replica,
		       int64_t now_ms) _must_check_; /* monotonic, as below */
int replica_turn_end(struct replica *replica, int64_t now_ms) _must_check_;
/* Whether turns have been gathered for long enough, or no more come. */
bool replica_is_due(const struct replica *replica, int64_t now_ms);
/* Commits what was gathered; nothing, where nothing was. */
int replica_flush(struct replica *replica) _must_check_;

/* A transaction of its own; begin flushes first. */
int replica_begin(struct replica *replica) _must_check_;
int replica_commit(struct replica *replica) _must_check_;
/* Of the turn, or the transaction, that is open; if any is. */
void replica_rollback(struct replica *replica);

/*
 * Filling a file that this process made and that nothing was put into yet, in half the time:
 * without a journal, and with some indexes made at the end. Meanwhile it is locked against readers,
 * there are no look-ups but by key, and if the process dies or a transaction fails the file is good
 * for nothing: the next open makes it anew. Begin does nothing with any other file, nor after an
 * end. End is called before the first look-up: it makes one of them at a time, and returns
 * REPLICA_E_MORE until it is done.
 */
int replica_fill_begin(struct replica *replica) _must_check_;
int replica_fill_end(struct replica *replica) _must_check_;
bool replica_is_filling(const struct replica *replica);

/* Upserts or deletes one key of a partition. `value` is the record as encoded for the changelog,
 * NULL for a tombstone; `record` the same decoded. */
int replica_apply(struct replica *replica, int32_t partition, const struct change *change,
		  const void *value, size_t len) _must_check_;

/* The next changelog offset that the partition's rows do not reflect yet, and when (wall) that was
 * last stored; offset -1: nothing usable is here. */
int replica_offset_get(struct replica *replica, int32_t partition, int64_t *offset,
		       int64_t *stored_at_ms) _must_check_;
int replica_offset_set(struct replica *replica, int32_t partition, int64_t offset,
		       int64_t now_ms) _must_check_;
/* The partition's position record. Returns 1 (REPLICA_E_NOT_FOUND) without one. */
enum { REPLICA_E_NOT_FOUND = 1 };
int replica_position_get(struct replica *replica, int32_t partition, struct position *out,
			 struct arena *arena) _must_check_;
/* Forgets the partition: rows, position and offset. Commits by itself; not inside a transaction. */
int replica_drop_partition(struct replica *replica, int32_t partition) _must_check_;

/* The look-ups of the handlers. Valid as long as the replica. */
const struct registry *replica_registry(struct replica *replica);

/*
 * Every webhook of the partition that has pending deliveries, with the earliest due time among them
 * and whose they are. A walk over all that are pending: once an assignment. `fn` must not change
 * the replica; what it returns, if not 0, ends the walk and is returned.
 */
typedef int (*replica_backlog_fn)(void *userdata, const struct uuid *webhook_id,
				  const char *tenant_id, int64_t next_due_ms, int64_t count);
int replica_backlog(struct replica *replica, int32_t partition, replica_backlog_fn fn,
		    void *userdata) _must_check_;

/*
 * The webhook's pending deliveries in the order of their due times, and as they came where those
 * are the same, within the bounds but at least one; `due_ms_max` bounds the due time. The rows'
 * deliveries live in the arena. Returns REPLICA_E_MORE where the bounds left some out.
 */
int replica_pending(struct replica *replica, struct arena *arena, const struct uuid *webhook_id,
		    int64_t due_ms_max, struct delivery_bounds bounds, struct delivery **out,
		    size_t *count) _must_check_;
/* Called for each row in order; what it returns, if not 0, ends the walk and is returned.
 * `delivery` lives until then, and has no body. */
typedef int (*replica_delivery_fn)(void *userdata, const struct delivery *delivery);
/* Walks all of the webhook's pending deliveries. `fn` must not use the replica. */
int replica_walk_pending(struct replica *replica, const struct uuid *webhook_id,
			 replica_delivery_fn fn, void *userdata) _must_check_;
/* The first of them that is due after `after_ms`, or REPLICA_E_NOT_FOUND. */
int replica_next_pending(struct replica *replica, struct arena *arena,
			 const struct uuid *webhook_id, int64_t after_ms,
			 struct delivery *out) _must_check_;

/*
 * A signing key of the partition that is listed in a JWKS at `now_ms` and names a master key that
 * `has` does not know; REPLICA_E_NOT_FOUND (1) when there is none. Asks of the few master keys that
 * are named at all; only where one is not known, the keys are walked: until one is found, or once,
 * after which that master key is forgotten. Not inside a transaction.
 */
typedef bool (*replica_has_fn)(const void *userdata, const char *master_key_id);
int replica_find_orphan_key(struct replica *replica, struct arena *arena, int32_t partition,
			    int64_t now_ms, replica_has_fn has, const void *userdata,
			    struct signing_key *out) _must_check_;

/* Keys of the partition that have lived long enough at `now_ms`: expired receipts, expired signing
 * keys, dead deliveries older than `dead_before_ms`. At most `limit`. */
int replica_expired(struct replica *replica, struct arena *arena, int32_t partition, int64_t now_ms,
		    int64_t dead_before_ms, size_t limit, struct state_key **out,
		    size_t *count) _must_check_;

/* Reads the partition's part of an index for each: a tenth of a second for a million pending
 * deliveries, so not once a turn. */
struct replica_counts {
	int64_t webhooks, pending, dead, receipts;
};
int replica_count(struct replica *replica, int32_t partition,
		  struct replica_counts *out) _must_check_;

/* Every key with its encoded value, sorted by key (bytewise) and then partition. */
typedef int (*replica_dump_fn)(void *userdata, const char *key, int32_t partition,
			       const void *value, size_t len);
int replica_dump(struct replica *replica, replica_dump_fn fn, void *userdata) _must_check_;
