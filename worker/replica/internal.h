/* What the files of this folder share. */
#pragma once

#include "replica/replica.h"
#include "replica/statement.h"
#include "replica/young.h"

enum { REPLICA_LATE = 6 };

/* A row of meta while the file is being filled: it is good for nothing then. */
#define REPLICA_FILLING "filling"

struct replica {
	sqlite3 *db;
	struct statements statements;
	struct codec *codec; /* borrowed */
	struct registry registry;
	struct arena *scratch; /* keys of one call */
	char *file;            /* owned; the database's path */
	int lock_fd;           /* of <data_dir>/lock; -1 when opened to read */
	bool is_new; /* this process made the file, nothing was put into it, and nobody uses it yet
		      */
	struct young
	    *young; /* what the turns that are not committed yet brought, and nothing has written */
	bool in_turn;             /* between replica_turn_begin and its end */
	bool is_gathering;        /* there are turns that are not committed yet */
	int64_t gather_since_ms;  /* when the first of them began; monotonic */
	int64_t turn_ended_ms;    /* when the last of them ended */
	bool is_filling;          /* without a journal: it cannot be rolled back */
	char *late[REPLICA_LATE]; /* owned; statements that make what filling does without */
	bool failed;  /* SQLite refused something: what was gathered may be gone, so no turn begins
			 or ends, and nothing is committed */
	bool damaged; /* SQLite said so: the file goes when it is closed */
};

/* The statement, ready to be bound. */
static inline sqlite3_stmt *replica_statement(struct replica *replica, enum statement statement) {
	return replica->statements.prepared[statement];
}

/* Logs SQLite's last error, and remembers that there was one. Returns -EIO. */
int replica_fail(struct replica *replica, const char *doing);
/* A row whose value or key is not what was once written: damage as well. Returns -EIO. */
int replica_fail_row(struct replica *replica, const char *doing, const char *why);

/* Before a look-up of rows of pending deliveries other than by id: they are all written. Returns 0
 * or -EIO. */
int replica_write_young(struct replica *replica) _must_check_;

/* Steps to the next row: 1 with a row, 0 at the end, or -EIO. */
int replica_step(struct replica *replica, sqlite3_stmt *statement) _must_check_;
/* For a statement without rows: runs and resets it. */
int replica_run(struct replica *replica, sqlite3_stmt *statement) _must_check_;

/* Decodes a record, which must be of `kind`; the second: that in a column of the current row. */
int replica_decode_value(struct replica *replica, struct arena *arena, const void *value,
			 size_t len, enum state_kind kind, struct state_record *out) _must_check_;
int replica_decode(struct replica *replica, struct arena *arena, sqlite3_stmt *statement,
		   int column, enum state_kind kind, struct state_record *out) _must_check_;

/* A column that must hold 16 bytes. */
int replica_column_uuid(struct replica *replica, sqlite3_stmt *statement, int column,
			struct uuid *out) _must_check_;

/*
 * The rows of a bound statement whose column 0 is a delivery's record, in its order, within the
 * bounds but at least one; resets it. Returns 0; REPLICA_E_MORE where there are more; or a negative
 * errno.
 */
int replica_collect_deliveries(struct replica *replica, struct arena *arena, sqlite3_stmt *bound,
			       struct delivery_bounds bounds, struct delivery **out,
			       size_t *count) _must_check_;

void registry_init(struct registry *registry, struct replica *replica);
