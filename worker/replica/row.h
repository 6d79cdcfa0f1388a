/*
 * Running a statement of the replica, and reading the columns of its current row. All that a
 * statement can fail with is met here: SQLite's errors, and rows that this program never wrote.
 *
 * Below every other file of the folder that uses statements.
 */
#pragma once

#include "replica/internal.h"

/* Logs SQLite's last error and marks the replica as failed; as damaged too, where SQLite says so.
 * `doing` is a word for the log. Returns -EIO. */
int row_fail(struct replica *replica, const char *doing);
/* The same for a row whose key or value this program never wrote, which is damage. Returns -EIO. */
int row_fail_damaged(struct replica *replica, const char *doing, const char *why);

/* Steps to the next row. Returns 1 with a row, 0 at the end, or -EIO. */
int row_step(struct replica *replica, sqlite3_stmt *statement) _must_check_;
/* Runs and resets a statement that has no rows. Returns 0 or -EIO. */
int row_run(struct replica *replica, sqlite3_stmt *statement) _must_check_;

/* Decodes the record in a column of the current row, which must be of `kind`, into the arena.
 * Returns 0 or -EIO. */
int row_decode(struct replica *replica, struct arena *arena, sqlite3_stmt *statement, int column,
	       enum state_kind kind, struct state_record *out) _must_check_;

/* The same for an encoded record that stands in no row. */
int row_decode_value(struct replica *replica, struct arena *arena, const void *value, size_t len,
		     enum state_kind kind, struct state_record *out) _must_check_;

/* Copies a column that must hold 16 bytes. Returns 0 or -EIO. */
int row_column_uuid(struct replica *replica, sqlite3_stmt *statement, int column,
		    struct uuid *out) _must_check_;

/*
 * Collects the rows of a bound statement whose column 0 is a delivery's record, in the statement's
 * order, within the bounds but at least one; resets the statement. The deliveries live in the
 * arena. Returns 0, REPLICA_E_MORE where rows are left, or -EIO.
 */
int row_collect_deliveries(struct replica *replica, struct arena *arena, sqlite3_stmt *bound,
			   struct delivery_bounds bounds, struct delivery **out,
			   size_t *count) _must_check_;
