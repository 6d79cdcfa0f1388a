/*
 * Filling a new file. It has no readers and nothing to lose yet. So the file does without a journal
 * until it is full, and without the indexes whose entries would come in no order, and without the
 * count of each tenant's webhooks.
 */
#include "replica/row.h"

#include <strings.h>

DEFINE_CLEANUP(sqlite3_stmt, sqlite3_finalize)

/* In the order in which they are made. The indexes of dead deliveries are not among them: dead
 * deliveries are few, and making an index reads the whole table. */
static const char *const late[REPLICA_LATE] = {
	"webhook_list",
	"webhook_subscribers",
	"receipt_expiry",
	"delivery_pending",
};

static bool execute(struct replica *replica, const char *sql) {
	return sqlite3_exec(replica->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Returns whether the file is in that mode now: SQLite answers with the mode that it is in. */
static bool set_journal_mode(struct replica *replica, const char *mode) {
	_cleanup_(x_freep) char *sql = x_asprintf("PRAGMA journal_mode = %s", mode);
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;

	return sqlite3_prepare_v2(replica->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	       sqlite3_step(statement) == SQLITE_ROW &&
	       strcasecmp((const char *)sqlite3_column_text(statement, 0), mode) == 0;
}

/* The mark is written while there still is a journal. */
static bool leave_journal(struct replica *replica) {
	return execute(replica,
		       "INSERT INTO meta (name, value) VALUES ('" REPLICA_FILLING "', '')") &&
	       set_journal_mode(replica, "delete") &&
	       execute(replica, "PRAGMA locking_mode = EXCLUSIVE") &&
	       set_journal_mode(replica, "off");
}

/* The exclusive lock is released by the next read. */
static bool return_to_journal(struct replica *replica) {
	return execute(replica, "PRAGMA locking_mode = NORMAL; SELECT 1 FROM meta") &&
	       set_journal_mode(replica, "wal") &&
	       execute(replica, "DELETE FROM meta WHERE name = '" REPLICA_FILLING "'");
}

/* Keeps the SQL of an index, and drops it. */
static bool drop_late(struct replica *replica, size_t i) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	_cleanup_(x_freep) char *sql = NULL;

	if (sqlite3_prepare_v2(replica->db, "SELECT sql FROM sqlite_schema WHERE name = ?1", -1,
			       &statement, NULL) != SQLITE_OK)
		return false;
	bind_text(statement, 1, late[i]);
	if (sqlite3_step(statement) != SQLITE_ROW)
		return false;
	replica->late[i] = x_strdup((const char *)sqlite3_column_text(statement, 0));
	sql = x_asprintf("DROP INDEX %s", late[i]);
	sqlite3_reset(statement);
	return execute(replica, sql);
}

static bool make_late(struct replica *replica, size_t i) {
	_cleanup_(x_freep) char *sql = TAKE(replica->late[i]);

	return execute(replica, sql);
}

/* Along webhook_list, which is there by then. */
static bool count_webhooks(struct replica *replica) {
	return execute(replica, "INSERT INTO tenant (id, webhooks) SELECT tenant, count(*) "
				"FROM webhook GROUP BY tenant ORDER BY tenant");
}

static int fail_filling(struct replica *replica) {
	replica->damaged = true;
	return row_fail(replica, "fill");
}

int replica_fill_begin(struct replica *replica) {
	bool done = true;

	if (!replica->is_new)
		return 0;
	replica->is_new = false;
	replica->is_filling = true;
	if (!leave_journal(replica))
		return replica_fill_end(replica); /* another process reads the file */
	for (size_t i = 0; done && i < REPLICA_LATE; i++)
		done = drop_late(replica, i);
	return done ? 0 : fail_filling(replica);
}

int replica_fill_end(struct replica *replica) {
	replica->is_new = false;
	if (!replica->is_filling)
		return 0;
	for (size_t i = 0; i < REPLICA_LATE; i++)
		if (replica->late[i])
			return make_late(replica, i) ? REPLICA_E_MORE : fail_filling(replica);
	if (!count_webhooks(replica) || !return_to_journal(replica))
		return fail_filling(replica);
	replica->is_filling = false;
	return 0;
}

bool replica_is_filling(const struct replica *replica) {
	return replica->is_filling;
}
