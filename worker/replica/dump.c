/* Streams every key in order: each table has an index of its keys, and the tables follow each other
 * in the order of their prefixes. */
#include "replica/row.h"

#include <errno.h>

static const struct {
	enum statement statement;
	enum state_kind kind;
} sources[] = {
	{ STATEMENT_DUMP_DELIVERIES, STATE_DELIVERY },      /* delivery/ */
	{ STATEMENT_DUMP_SIGNING_KEYS, STATE_SIGNING_KEY }, /* key/ */
	{ STATEMENT_DUMP_POSITIONS, STATE_POSITION },       /* position */
	{ STATEMENT_DUMP_RECEIPTS, STATE_RECEIPT },         /* receipt/ */
	{ STATEMENT_DUMP_WEBHOOKS, STATE_WEBHOOK },         /* webhook/ */
};

/* The text of the key in column 0. A delivery's is made from its id: ids have the same order as
 * bytes and as text. */
static int key_text(struct replica *replica, sqlite3_stmt *statement, enum state_kind kind,
		    const char **out) {
	struct state_key key = { .kind = STATE_DELIVERY };
	int r;

	if (kind != STATE_DELIVERY) {
		*out = (const char *)sqlite3_column_text(statement, 0);
		return *out ? 0 : row_fail_damaged(replica, "dump", "not a key");
	}
	r = row_column_uuid(replica, statement, 0, &key.id);
	if (r)
		return r;
	arena_reset(replica->scratch);
	*out = state_key_format(replica->scratch, &key);
	return 0;
}

static int dump_table(struct replica *replica, size_t source, replica_dump_fn fn, void *userdata) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, sources[source].statement);
	int r;

	while ((r = row_step(replica, statement)) > 0) {
		const char *key;

		r = key_text(replica, statement, sources[source].kind, &key);
		if (!r)
			r = fn(userdata, key, sqlite3_column_int(statement, 1),
			       sqlite3_column_blob(statement, 2),
			       (size_t)sqlite3_column_bytes(statement, 2));
		if (r)
			return r;
	}
	return r;
}

int replica_dump(struct replica *replica, replica_dump_fn fn, void *userdata) {
	bool nested = !sqlite3_get_autocommit(replica->db);
	int r = replica_write_unflushed(replica);

	if (r)
		return r;
	/* One snapshot of all tables, while a worker may be writing. */
	if (!nested && sqlite3_exec(replica->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return row_fail(replica, "dump");
	for (size_t i = 0; !r && i < ARRAY_LEN(sources); i++)
		r = dump_table(replica, i, fn, userdata);
	if (!nested)
		replica_rollback(replica);
	return r;
}
