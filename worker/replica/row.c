#include "replica/row.h"

#include "base/log.h"

#include <errno.h>

int row_fail(struct replica *replica, const char *doing) {
	int code = sqlite3_errcode(replica->db);

	log_error("the replica failed", "file=%s doing=%s code=%d error=%s",
		  log_quote(replica->file), doing, sqlite3_extended_errcode(replica->db),
		  log_quote(sqlite3_errmsg(replica->db)));
	replica->failed = true;
	replica->damaged |= code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
	return -EIO;
}

int row_fail_damaged(struct replica *replica, const char *doing, const char *why) {
	log_error("the replica holds a damaged row", "file=%s doing=%s error=%s",
		  log_quote(replica->file), doing, log_quote(why));
	replica->failed = replica->damaged = true;
	return -EIO;
}

int row_step(struct replica *replica, sqlite3_stmt *statement) {
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return row_fail(replica, "step");
	}
}

int row_run(struct replica *replica, sqlite3_stmt *statement) {
	int r = row_step(replica, statement);

	sqlite3_reset(statement);
	return MIN(r, 0);
}

int row_decode_value(struct replica *replica, struct arena *arena, const void *value, size_t len,
		     enum state_kind kind, struct state_record *out) {
	const char *why = "another kind of record";

	if (codec_decode_state(replica->codec, arena, value, len, out, &why) || out->kind != kind)
		return row_fail_damaged(replica, "decode", why);
	return 0;
}

int row_decode(struct replica *replica, struct arena *arena, sqlite3_stmt *statement, int column,
	       enum state_kind kind, struct state_record *out) {
	const void *value = sqlite3_column_blob(statement, column);

	return row_decode_value(replica, arena, value,
				(size_t)sqlite3_column_bytes(statement, column), kind, out);
}

int row_column_uuid(struct replica *replica, sqlite3_stmt *statement, int column,
		    struct uuid *out) {
	const void *bytes = sqlite3_column_blob(statement, column);

	if (!bytes || sqlite3_column_bytes(statement, column) != (int)sizeof(out->bytes))
		return row_fail_damaged(replica, "read", "not an id");
	memcpy(out->bytes, bytes, sizeof(out->bytes));
	return 0;
}

/* Whether the bounds allow no further row. The first one is always allowed. */
static bool is_past(struct delivery_bounds bounds, size_t count, size_t bytes) {
	return count > 0 && (count >= bounds.count || bytes >= bounds.bytes);
}

int row_collect_deliveries(struct replica *replica, struct arena *arena, sqlite3_stmt *bound,
			   struct delivery_bounds bounds, struct delivery **out, size_t *count) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = bound;
	size_t capacity = 0, bytes = 0;
	int r;

	*out = NULL;
	*count = 0;
	while ((r = row_step(replica, statement)) > 0) {
		struct state_record record;

		if (is_past(bounds, *count, bytes))
			return REPLICA_E_MORE;
		r = row_decode(replica, arena, statement, 0, STATE_DELIVERY, &record);
		if (r)
			return r;
		bytes += (size_t)sqlite3_column_bytes(statement, 0);
		*out = arena_grow(arena, *out, *count, &capacity, sizeof(**out));
		(*out)[(*count)++] = record.delivery;
	}
	return r;
}
