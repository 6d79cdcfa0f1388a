/*
 * Dropping a partition. The tables are not in the order of partitions, so each is walked once along
 * its key. The walk is cut into chunks: a chunk's transaction is small, whatever the number of
 * rows.
 */
#include "replica/row.h"

enum { CHUNK_ROWS = 5000 };

/* Past every key: SQLite orders blobs after texts, and this one after every id. */
#define LAST_KEY "x'ffffffffffffffffffffffffffffffffff'"

/* end_of_chunk: the key that ends the chunk of ?2 + 1 rows after key ?1. delete_chunk: deletes the
 * rows of partition ?3 from after ?1 to ?2; the + keeps SQLite from an index of partitions.
 * before_chunk: has the same parameters, and comes first in the same transaction; NULL: none. */
struct table {
	const char *end_of_chunk;
	const char *delete_chunk;
	const char *before_chunk;
};

#define TABLE(name, key, before)                                                                   \
	{                                                                                          \
		.end_of_chunk = "SELECT coalesce((SELECT " key " FROM " name " WHERE " key         \
				" > ?1 ORDER BY " key " LIMIT 1 OFFSET ?2), " LAST_KEY ")",        \
		.delete_chunk = "DELETE FROM " name " WHERE " key " > ?1 AND " key                 \
				" <= ?2 AND +partition = ?3",                                      \
		.before_chunk = (before),                                                          \
	}

/* Tenants of whose webhooks these are the last keep a row with 0. */
#define UNCOUNT_WEBHOOKS                                                                           \
	"UPDATE tenant SET webhooks = webhooks - gone.count FROM (SELECT tenant, count(*) AS "     \
	"count FROM webhook WHERE key > ?1 AND key <= ?2 AND +partition = ?3 GROUP BY tenant) "    \
	"AS gone WHERE id = gone.tenant"

static const struct table tables[] = {
	TABLE("delivery", "id", NULL),
	TABLE("receipt", "key", NULL),
	TABLE("webhook", "key", UNCOUNT_WEBHOOKS),
	TABLE("signing_key", "key", NULL),
};

DEFINE_CLEANUP(sqlite3_stmt, sqlite3_finalize)
DEFINE_CLEANUP(sqlite3_value, sqlite3_value_free)

static int run_for_partition(struct replica *replica, enum statement name, int32_t partition) {
	sqlite3_stmt *statement = replica_statement(replica, name);

	bind_int(statement, 1, partition);
	return row_run(replica, statement);
}

/* First of all, so that a process that dies in the middle leaves rows that nobody takes for a
 * whole. */
static int forget_offset(struct replica *replica, int32_t partition) {
	int r = replica_begin(replica);

	if (!r)
		r = run_for_partition(replica, STATEMENT_OFFSET_DELETE, partition);
	if (!r)
		r = run_for_partition(replica, STATEMENT_POSITION_DELETE, partition);
	if (!r)
		r = run_for_partition(replica, STATEMENT_MASTER_KEY_DELETE_ALL, partition);
	if (!r)
		r = replica_commit(replica);
	if (r)
		replica_rollback(replica);
	return r;
}

/* Sets `*out` to the key that ends the chunk after `from` (NULL: the first chunk); the caller owns
 * it. */
static int find_end_of_chunk(struct replica *replica, sqlite3_stmt *statement,
			     const sqlite3_value *from, sqlite3_value **out) {
	int r;

	if (from)
		sqlite3_bind_value(statement, 1, from);
	else
		bind_text(statement, 1, ""); /* before every key, also before every id */
	bind_int(statement, 2, CHUNK_ROWS - 1);
	r = row_step(replica, statement);
	if (r > 0)
		*out = sqlite3_value_dup(sqlite3_column_value(statement, 0));
	sqlite3_reset(statement);
	return MIN(r, 0);
}

static int run_for_chunk(struct replica *replica, sqlite3_stmt *statement, int32_t partition,
			 const sqlite3_value *from, const sqlite3_value *to) {
	if (from)
		sqlite3_bind_value(statement, 1, from);
	else
		bind_text(statement, 1, "");
	sqlite3_bind_value(statement, 2, to);
	bind_int(statement, 3, partition);
	return row_run(replica, statement);
}

/* A transaction of its own. `before` is NULL where the table has none. */
static int delete_chunk(struct replica *replica, sqlite3_stmt *before, sqlite3_stmt *delete,
			int32_t partition, const sqlite3_value *from, const sqlite3_value *to) {
	int r = replica_begin(replica);

	if (!r && before)
		r = run_for_chunk(replica, before, partition, from, to);
	if (!r)
		r = run_for_chunk(replica, delete, partition, from, to);
	if (!r)
		r = replica_commit(replica);
	if (r)
		replica_rollback(replica);
	return r;
}

/* Whether the end of a chunk is LAST_KEY: no other key is a blob longer than an id. */
static bool is_last(sqlite3_value *key) {
	return sqlite3_value_type(key) == SQLITE_BLOB &&
	       sqlite3_value_bytes(key) > (int)sizeof(struct uuid);
}

static bool prepare(struct replica *replica, const char *sql, sqlite3_stmt **out) {
	return sqlite3_prepare_v2(replica->db, sql, -1, out, NULL) == SQLITE_OK;
}

static int drop_from_table(struct replica *replica, const struct table *table, int32_t partition) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *end_of_chunk = NULL, *delete = NULL,
						  *before = NULL;
	_cleanup_(sqlite3_value_freep) sqlite3_value *from = NULL;
	bool last;

	if (!prepare(replica, table->end_of_chunk, &end_of_chunk) ||
	    !prepare(replica, table->delete_chunk, &delete) ||
	    (table->before_chunk && !prepare(replica, table->before_chunk, &before)))
		return row_fail(replica, "prepare");
	do {
		_cleanup_(sqlite3_value_freep) sqlite3_value *to = NULL;
		int r = find_end_of_chunk(replica, end_of_chunk, from, &to);

		if (!r)
			r = delete_chunk(replica, before, delete, partition, from, to);
		if (r)
			return r;
		last = is_last(to);
		sqlite3_value_free(from);
		from = TAKE(to);
	} while (!last);
	return 0;
}

/* Tenants that have no webhook any more. */
static int delete_empty_tenants(struct replica *replica) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;

	if (!prepare(replica, "DELETE FROM tenant WHERE webhooks = 0", &statement))
		return row_fail(replica, "prepare");
	return row_run(replica, statement);
}

int replica_drop_partition(struct replica *replica, int32_t partition) {
	int r;

	subscriber_cache_clear(replica->subscribers);
	r = forget_offset(replica, partition);

	for (size_t i = 0; !r && i < ARRAY_LEN(tables); i++)
		r = drop_from_table(replica, &tables[i], partition);
	return r ? r : delete_empty_tenants(replica);
}
