#include "replica/replica.h"

#include "base/log.h"
#include "replica/file.h"
#include "replica/folder.h"
#include "replica/internal.h"

#include <errno.h>
#include <unistd.h>

enum { GATHER_MS = 1000, QUIET_MS = 20, YOUNG_MAX = 8 * 1024 * 1024, WHY_MAX = 8 * 1024 };

/* No count of memory: nobody asks, and each allocation would take a lock for it. What a turn may
 * have to undo stays in memory: it is little. */
int replica_init(void) {
	return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK &&
		       sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1) == SQLITE_OK
		   ? 0
		   : -EINVAL;
}

int replica_fail(struct replica *replica, const char *doing) {
	int rc = sqlite3_errcode(replica->db);

	log_error("the replica failed", "file=%s doing=%s code=%d error=%s",
		  log_quote(replica->file), doing, sqlite3_extended_errcode(replica->db),
		  log_quote(sqlite3_errmsg(replica->db)));
	replica->failed = true;
	replica->damaged |= rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
	return -EIO;
}

int replica_fail_row(struct replica *replica, const char *doing, const char *why) {
	log_error("the replica holds a damaged row", "file=%s doing=%s error=%s",
		  log_quote(replica->file), doing, log_quote(why));
	replica->failed = replica->damaged = true;
	return -EIO;
}

int replica_step(struct replica *replica, sqlite3_stmt *statement) {
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return replica_fail(replica, "step");
	}
}

int replica_run(struct replica *replica, sqlite3_stmt *statement) {
	int r = replica_step(replica, statement);

	sqlite3_reset(statement);
	return MIN(r, 0);
}

int replica_decode_value(struct replica *replica, struct arena *arena, const void *value,
			 size_t len, enum state_kind kind, struct state_record *out) {
	const char *why = "another kind of record";

	if (codec_decode_state(replica->codec, arena, value, len, out, &why) || out->kind != kind)
		return replica_fail_row(replica, "decode", why);
	return 0;
}

int replica_decode(struct replica *replica, struct arena *arena, sqlite3_stmt *statement,
		   int column, enum state_kind kind, struct state_record *out) {
	const void *value = sqlite3_column_blob(statement, column);

	return replica_decode_value(replica, arena, value,
				    (size_t)sqlite3_column_bytes(statement, column), kind, out);
}

int replica_column_uuid(struct replica *replica, sqlite3_stmt *statement, int column,
			struct uuid *out) {
	const void *bytes = sqlite3_column_blob(statement, column);

	if (!bytes || sqlite3_column_bytes(statement, column) != (int)sizeof(out->bytes))
		return replica_fail_row(replica, "read", "not an id");
	memcpy(out->bytes, bytes, sizeof(out->bytes));
	return 0;
}

static struct replica *replica_new(const char *file, struct codec *codec) {
	struct replica *replica = x_calloc(1, sizeof(*replica));

	replica->file = x_strdup(file);
	replica->codec = codec;
	replica->scratch = arena_new();
	replica->young = young_new();
	replica->lock_fd = -1;
	registry_init(&replica->registry, replica);
	return replica;
}

int replica_judge_folder(const char *data_dir, struct buffer *why) {
	return folder_judge(data_dir, why);
}

/*
 * What SQLite sorts when it makes an index goes to files without a name, in this folder: no other
 * may be writable. Before the file is opened, and only then: SQLite reads it without a lock.
 */
static void use_for_temporary_files(const char *data_dir) {
	if (sqlite3_temp_directory && strcmp(sqlite3_temp_directory, data_dir) == 0)
		return;
	sqlite3_free(sqlite3_temp_directory);
	sqlite3_temp_directory = sqlite3_mprintf("%s", data_dir);
	if (!sqlite3_temp_directory)
		abort();
}

/* Locked. Nothing in it is opened before it was judged, and what is not to be believed is removed.
 */
static int prepare_folder(const char *data_dir, const char *file) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	bool is_open_to_group = false;
	int r = folder_secure(data_dir, &is_open_to_group, &why);

	if (r) {
		log_error("the worker's folder cannot be trusted", "error=%s",
			  log_quote(r < 0 ? strerror(-r) : why.data));
		return r < 0 ? r : -EPERM;
	}
	folder_remove_leftovers(data_dir);
	use_for_temporary_files(data_dir);
	if (!is_open_to_group)
		return 0;
	log_warn("the replica's group could write to it, so it is made anew; where Kubernetes' "
		 "fsGroup does that at each mount, set "
		 "fsGroupChangePolicy to OnRootMismatch",
		 "file=%s", log_quote(file));
	return file_remove(file);
}

int replica_open(const char *data_dir, const char *cluster_id, struct codec *codec,
		 struct replica **out) {
	_cleanup_(x_freep) char *file = x_asprintf("%s/replica.db", data_dir);
	_cleanup_(replica_closep) struct replica *replica = replica_new(file, codec);
	int r;

	replica->lock_fd = file_lock(data_dir);
	if (replica->lock_fd < 0)
		return replica->lock_fd;
	r = prepare_folder(data_dir, file);
	if (r)
		return r;
	r = file_open(file, cluster_id, &replica->db, &replica->is_new);
	if (r)
		return r;
	/* The schema's version is right, so a statement that cannot be prepared means damage. */
	if (statements_prepare(&replica->statements, replica->db) != SQLITE_OK) {
		replica_fail(replica, "prepare");
		replica->damaged = true;
		return -EIO;
	}
	*out = TAKE(replica);
	return 0;
}

int replica_open_readonly(const char *file, struct codec *codec, struct replica **out) {
	_cleanup_(replica_closep) struct replica *replica = replica_new(file, codec);
	int r = file_open_readonly(file, &replica->db);

	if (r)
		return r;
	if (statements_prepare(&replica->statements, replica->db) != SQLITE_OK)
		return replica_fail(replica, "prepare");
	*out = TAKE(replica);
	return 0;
}

/* What cannot be committed any more is restored from the changelog. */
static void close_turns(struct replica *replica) {
	if (!replica->is_gathering)
		return;
	replica_rollback(replica);
	if (!replica->damaged && replica_flush(replica))
		log_warn("the last turns are not in the replica", "file=%s",
			 log_quote(replica->file));
}

void replica_close(struct replica *replica) {
	if (!replica)
		return;
	close_turns(replica);
	statements_finalize(&replica->statements);
	sqlite3_close_v2(replica->db);
	/* Only its owner, who holds the lock, throws a damaged file away. */
	if (replica->damaged && replica->lock_fd >= 0) {
		log_warn("the damaged replica is removed", "file=%s", log_quote(replica->file));
		if (file_remove(replica->file) < 0)
			log_warn("the damaged replica could not be removed", "file=%s",
				 log_quote(replica->file));
	}
	if (replica->lock_fd >= 0)
		close(replica->lock_fd);
	for (size_t i = 0; i < REPLICA_LATE; i++)
		free(replica->late[i]);
	arena_free(replica->scratch);
	young_free(replica->young);
	free(replica->file);
	free(replica);
}

void replica_discard(struct replica *replica) {
	replica->damaged = true;
	replica_close(replica);
}

static int run(struct replica *replica, enum statement statement) {
	return replica_run(replica, replica_statement(replica, statement));
}

static bool in_transaction(const struct replica *replica) {
	return !sqlite3_get_autocommit(replica->db);
}

/*
 * An error can undo by itself all that was gathered: a full disk does. A turn must not go on from
 * what is left, and a commit of it would say that what is missing is there.
 */
static int check(const struct replica *replica) {
	return replica->failed ? -EIO : 0;
}

int replica_turn_begin(struct replica *replica, int64_t now_ms) {
	int r = check(replica);

	if (!r && !replica->is_gathering)
		r = run(replica, STATEMENT_BEGIN);
	if (r)
		return r;
	if (!replica->is_gathering)
		replica->gather_since_ms = now_ms;
	replica->is_gathering = true;
	r = run(replica, STATEMENT_TURN_BEGIN);
	replica->in_turn = r == 0;
	return r;
}

int replica_turn_end(struct replica *replica, int64_t now_ms) {
	int r = check(replica);

	if (!r)
		r = run(replica, STATEMENT_TURN_END);
	replica->in_turn = r != 0;
	if (r == 0)
		young_turn_end(replica->young);
	replica->turn_ended_ms = now_ms;
	return r;
}

bool replica_is_due(const struct replica *replica, int64_t now_ms) {
	return replica->is_gathering && (now_ms - replica->gather_since_ms >= GATHER_MS ||
					 now_ms - replica->turn_ended_ms >= QUIET_MS ||
					 young_bytes(replica->young) >= YOUNG_MAX);
}

int replica_flush(struct replica *replica) {
	int r = check(replica);

	if (r || !replica->is_gathering)
		return r;
	r = replica_write_young(replica);
	if (r)
		return r;
	replica->is_gathering = false;
	return run(replica, STATEMENT_COMMIT);
}

int replica_begin(struct replica *replica) {
	int r = replica_flush(replica);

	return r ? r : run(replica, STATEMENT_BEGIN);
}

int replica_commit(struct replica *replica) {
	int r = check(replica);

	return r ? r : run(replica, STATEMENT_COMMIT);
}

static int undo_turn(struct replica *replica) {
	int r = run(replica, STATEMENT_TURN_UNDO);

	return r ? r : run(replica, STATEMENT_TURN_END);
}

void replica_rollback(struct replica *replica) {
	bool in_turn = replica->in_turn;
	int r = 0;

	replica->in_turn = false;
	if (in_turn)
		young_rollback(replica->young);
	replica->damaged |= replica->is_filling; /* there is nothing to roll back with */
	/* Some errors end the transaction by themselves. */
	if (!in_transaction(replica))
		replica->is_gathering = false;
	else if (in_turn)
		r = undo_turn(replica);
	else if (!replica->is_gathering)
		r = run(replica, STATEMENT_ROLLBACK);
	if (r < 0)
		replica->damaged = true;
}

const struct registry *replica_registry(struct replica *replica) {
	return &replica->registry;
}
