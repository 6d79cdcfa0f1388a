/*
 * The replica: the fold of the changelog in one SQLite file. A key is a row, with the encoded
 * record as it stands in the changelog and the columns that it is looked up by. The file can be
 * deleted at any time: it is restored from the changelog. No other folder knows SQLite.
 *
 * The replica follows Kafka (R7). The pipeline applies changes inside an open turn, commits to
 * Kafka, and only then ends the turn here; the turn stores the changelog offset that each partition
 * now reflects. One thread uses it; readers in other processes see the last commit (WAL).
 *
 *     turn_begin ──► apply ... ──► turn_end ──┬── the next turn_begin
 *         │            │ rollback             └── flush: one commit for all of them
 *         ◄────────────┘ (of this turn alone)
 *
 * A commit writes every page that was touched. So turns are gathered for three seconds, or until no
 * turn follows, and share one commit: most deliveries come and go within it and are never written.
 * Turns that die with the process are restored from the changelog, from the stored offset on.
 *
 * synchronous is OFF. A process that dies loses nothing. A machine that dies is noticed by its boot
 * id, and the file is made again. So is a file that is damaged, of another schema version, or of
 * another Kafka cluster.
 */
#pragma once

#include "avro/codec.h"
#include "domain/registry.h"

#include <stdbool.h>

struct replica;

/* Configures SQLite for the process; called before any other use of it by a program that writes.
 * Returns 0 or -EINVAL. */
int replica_init(void) _must_check_;

/*
 * Whether the folder can be used, and the folder and the replica in it may be trusted by their
 * owners and modes (folder.h). Changes nothing. Returns 0, also when there is no folder and it can
 * be made; 1 with a sentence in `why`; or a negative errno.
 */
int replica_judge_folder(const char *data_dir, struct buffer *why) _must_check_;

/* Opens or makes <data_dir>/replica.db and locks it against a second worker. Borrows the codec.
 * Returns 0, or a negative errno after logging; -EBUSY: another process has it; -EPERM: it cannot
 * be trusted. */
int replica_open(const char *data_dir, const char *cluster_id, struct codec *codec,
		 struct replica **out) _must_check_;
/* Opens the file of a living or dead worker, to read only. */
int replica_open_readonly(const char *file, struct codec *codec, struct replica **out) _must_check_;
void replica_close(struct replica *replica);
DEFINE_CLEANUP(struct replica, replica_close)
/* Closes it and removes its file, after an error that leaves its content in doubt. */
void replica_discard(struct replica *replica);

/*
 * All functions below return 0 or a negative errno: -EIO, after logging, for SQLite's errors. After
 * an error the turns that no commit has written may be gone: no turn begins or ends, and nothing is
 * committed, until the replica is opened again. A file that is damaged, by SQLite's word or by a
 * row's, is removed by replica_close. REPLICA_E_MORE (1): there is more to do or to read.
 */
enum { REPLICA_E_MORE = 1 };
int replica_turn_begin(struct replica *replica,
		       int64_t now_ms) _must_check_; /* monotonic, as below */
int replica_turn_end(struct replica *replica, int64_t now_ms) _must_check_;
/* Whether the gathered turns should be committed: they are three seconds old, or no turn
 * follows, or their records without a row take much memory. */
bool replica_is_due(const struct replica *replica, int64_t now_ms);
/* Commits the gathered turns, if there are any. */
int replica_flush(struct replica *replica) _must_check_;

/* A transaction without turns. Begin flushes first. */
int replica_begin(struct replica *replica) _must_check_;
int replica_commit(struct replica *replica) _must_check_;
/* Rolls the open turn or transaction back, if one is open. */
void replica_rollback(struct replica *replica);

/*
 * Filling an empty file that this process made, in half the time: without a journal, and with some
 * indexes made at the end. Meanwhile the file is locked against readers, and only look-ups by key
 * are allowed. A file whose process dies, or whose transaction fails, is made again by the next
 * open. Begin does nothing with any other file, nor after an end. End is called before the first
 * other look-up: each call makes one index, and returns REPLICA_E_MORE until all are there.
 */
int replica_fill_begin(struct replica *replica) _must_check_;
int replica_fill_end(struct replica *replica) _must_check_;
bool replica_is_filling(const struct replica *replica);

/* Upserts or deletes one key of a partition. `value` is the record as encoded for the changelog,
 * NULL for a tombstone; `record` the same decoded. */
int replica_apply(struct replica *replica, int32_t partition, const struct change *change,
		  const void *value, size_t len) _must_check_;

/* The next changelog offset that the partition's rows do not reflect yet, and the wall time at
 * which it was stored; offset -1: there is none. */
int replica_offset_get(struct replica *replica, int32_t partition, int64_t *offset,
		       int64_t *stored_at_ms) _must_check_;
int replica_offset_set(struct replica *replica, int32_t partition, int64_t offset,
		       int64_t now_ms) _must_check_;
/* The partition's position record. Returns 1 (REPLICA_E_NOT_FOUND) without one. */
enum { REPLICA_E_NOT_FOUND = 1 };
int replica_position_get(struct replica *replica, int32_t partition, struct position *out,
			 struct arena *arena) _must_check_;
/* Deletes the partition: rows, position and offset. Commits by itself; not inside a transaction. */
int replica_drop_partition(struct replica *replica, int32_t partition) _must_check_;

/* The look-ups of the handlers. Valid as long as the replica. */
const struct registry *replica_registry(struct replica *replica);

/*
 * Calls `fn` for every webhook of the partition that has pending deliveries, with its tenant, their
 * number, and their earliest due time. Walks all pending deliveries: once an assignment. `fn` must
 * not change the replica; a result of `fn` other than 0 ends the walk and is returned.
 */
typedef int (*replica_backlog_fn)(void *userdata, const struct uuid *webhook_id,
				  const char *tenant_id, int64_t next_due_ms, int64_t count);
int replica_backlog(struct replica *replica, int32_t partition, replica_backlog_fn fn,
		    void *userdata) _must_check_;

/*
 * The webhook's pending deliveries that are due until `due_ms_max`, in the order of their due times
 * and then of their recording, within the bounds but at least one. They live in the arena. Returns
 * REPLICA_E_MORE where the bounds left some out.
 */
int replica_pending(struct replica *replica, struct arena *arena, const struct uuid *webhook_id,
		    int64_t due_ms_max, struct delivery_bounds bounds, struct delivery **out,
		    size_t *count) _must_check_;
/* Called for each row in order; a result other than 0 ends the walk and is returned. `delivery`
 * lives until the call returns. */
typedef int (*replica_delivery_fn)(void *userdata, const struct delivery *delivery);
/* Walks all of the webhook's pending deliveries. `fn` must not use the replica. */
int replica_walk_pending(struct replica *replica, const struct uuid *webhook_id,
			 replica_delivery_fn fn, void *userdata) _must_check_;
/* The webhook's first pending delivery that is due after `after_ms`, or REPLICA_E_NOT_FOUND. */
int replica_next_pending(struct replica *replica, struct arena *arena,
			 const struct uuid *webhook_id, int64_t after_ms,
			 struct delivery *out) _must_check_;

/* What needs a master key: a signing key, or a webhook with a secret. */
struct orphan {
	const char *tenant_id;
	const char *kind; /* "kid" or "webhook": static text */
	const char *name; /* the signing key's kid, or the webhook's id */
	const char *master_key_id;
};

/*
 * A signing key of the partition that is listed in a JWKS at `now_ms`, or a webhook, that names a
 * master key which `has` does not know; REPLICA_E_NOT_FOUND (1) when there is none. `has` is asked
 * for each of the few master keys that the partition's records name, or named. Only for an unknown
 * one the signing keys and webhooks are walked; when none of them names it, it is forgotten. Not
 * inside a transaction.
 */
typedef bool (*replica_has_fn)(const void *userdata, const char *master_key_id);
int replica_find_orphan_key(struct replica *replica, struct arena *arena, int32_t partition,
			    int64_t now_ms, replica_has_fn has, const void *userdata,
			    struct orphan *out) _must_check_;

/* Wall. */
struct replica_expiry {
	int64_t now_ms;                              /* of receipts and signing keys */
	int64_t dead_before_ms, succeeded_before_ms; /* of deliveries: when they ended */
};

/* Keys of the partition that have expired. At most `limit`; they live in the arena. */
int replica_expired(struct replica *replica, struct arena *arena, int32_t partition,
		    const struct replica_expiry *expiry, size_t limit, struct state_key **out,
		    size_t *count) _must_check_;

/* Each count walks the partition's part of an index, a tenth of a second for a million pending
 * deliveries: not to be called once a turn. */
struct replica_counts {
	int64_t webhooks, pending, dead, receipts;
};
int replica_count(struct replica *replica, int32_t partition,
		  struct replica_counts *out) _must_check_;

/* Every key with its encoded value, sorted by key (bytewise) and then partition. */
typedef int (*replica_dump_fn)(void *userdata, const char *key, int32_t partition,
			       const void *value, size_t len);
int replica_dump(struct replica *replica, replica_dump_fn fn, void *userdata) _must_check_;
