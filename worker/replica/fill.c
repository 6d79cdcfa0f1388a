/*
 * Filling a new file. Nobody reads it yet and there is nothing in it to lose, so what makes a
 * commit safe and a look-up fast can wait until it is full: the journal, the indexes whose entries
 * would come in no order, and the count of each tenant's webhooks.
 */
#include "replica/internal.h"

#include <strings.h>

DEFINE_CLEANUP(sqlite3_stmt, sqlite3_finalize)

/* In the order in which they are made again. Not the indexes of dead deliveries: they are few, and
 * making one anew reads the whole table. */
static const struct late {
	const char *name;
	const char *before; /* what is done first, at once; NULL: nothing */
} late[REPLICA_LATE] = {
	{ "webhook_list", NULL },
	{ "webhook_subscribers", NULL },
	{ "receipt_expiry", NULL },
	{ "delivery_pending", NULL },
	{ "webhook_goes", NULL },
	{ "webhook_comes", "INSERT INTO tenant (id, webhooks) SELECT tenant, count(*) FROM webhook "
			   "GROUP BY tenant ORDER BY tenant" },
};

static bool run(struct replica *replica, const char *sql) {
	return sqlite3_exec(replica->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Sets it, and looks: SQLite answers with the mode that it is in. */
static bool set_journal_mode(struct replica *replica, const char *mode) {
	_cleanup_(x_freep) char *sql = x_asprintf("PRAGMA journal_mode = %s", mode);
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;

	return sqlite3_prepare_v2(replica->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	       sqlite3_step(statement) == SQLITE_ROW &&
	       strcasecmp((const char *)sqlite3_column_text(statement, 0), mode) == 0;
}

/* The mark goes in while there still is a journal. */
static bool leave_journal(struct replica *replica) {
	return run(replica, "INSERT INTO meta (name, value) VALUES ('" REPLICA_FILLING "', '')") &&
	       set_journal_mode(replica, "delete") &&
	       run(replica, "PRAGMA locking_mode = EXCLUSIVE") && set_journal_mode(replica, "off");
}

/* The lock is let go with the next read. */
static bool return_to_journal(struct replica *replica) {
	return run(replica, "PRAGMA locking_mode = NORMAL; SELECT 1 FROM meta") &&
	       set_journal_mode(replica, "wal") &&
	       run(replica, "DELETE FROM meta WHERE name = '" REPLICA_FILLING "'");
}

/* Remembers how it was made, and drops it. */
static bool drop(struct replica *replica, size_t i) {
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	_cleanup_(x_freep) char *sql = NULL;

	if (sqlite3_prepare_v2(replica->db, "SELECT sql, type FROM sqlite_schema WHERE name = ?1",
			       -1, &statement, NULL) != SQLITE_OK)
		return false;
	bind_text(statement, 1, late[i].name);
	if (sqlite3_step(statement) != SQLITE_ROW)
		return false;
	replica->late[i] = x_strdup((const char *)sqlite3_column_text(statement, 0));
	sql =
	    x_asprintf("DROP %s %s", (const char *)sqlite3_column_text(statement, 1), late[i].name);
	sqlite3_reset(statement);
	return run(replica, sql);
}

static bool make(struct replica *replica, size_t i) {
	_cleanup_(x_freep) char *sql = TAKE(replica->late[i]);

	return (!late[i].before || run(replica, late[i].before)) && run(replica, sql);
}

static int fail(struct replica *replica) {
	replica->damaged = true;
	return replica_fail(replica, "fill");
}

int replica_fill_begin(struct replica *replica) {
	bool done = true;

	if (!replica->is_new)
		return 0;
	replica->is_new = false;
	replica->is_filling = true;
	if (!leave_journal(replica))
		return replica_fill_end(
		    replica); /* somebody reads it: then with the journal, as any other */
	for (size_t i = 0; done && i < REPLICA_LATE; i++)
		done = drop(replica, i);
	return done ? 0 : fail(replica);
}

int replica_fill_end(struct replica *replica) {
	replica->is_new = false; /* from here on it is used */
	if (!replica->is_filling)
		return 0;
	for (size_t i = 0; i < REPLICA_LATE; i++)
		if (replica->late[i])
			return make(replica, i) ? REPLICA_E_MORE : fail(replica);
	if (!return_to_journal(replica))
		return fail(replica);
	replica->is_filling = false;
	return 0;
}

bool replica_is_filling(const struct replica *replica) {
	return replica->is_filling;
}
