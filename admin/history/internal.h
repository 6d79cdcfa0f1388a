/* The history as the files of this folder share it. */
#pragma once

#include "history/history.h"
#include "history/statement.h"

#include <pthread.h>
#include <stdatomic.h>

/* A connection that only reads. A query has one for itself. */
struct history_reader {
	struct history_reader *next;
	sqlite3 *db;
	sqlite3_stmt *statements[READ_COUNT];
};

struct history {
	sqlite3 *db;
	sqlite3_stmt *statements[WRITE_COUNT];
	char *file;  /* owned; the database's path */
	int lock_fd; /* of <data_dir>/lock */
	int64_t retention_ms, bytes_max;
	struct codec *codec; /* owned: events are kept in one form, whatever results.framing says */
	struct buffer value; /* scratch: an encoded event */
	bool is_open;        /* a transaction is */
	atomic_bool
	    is_damaged; /* the file is not to be believed: it is removed when it is closed */
	uint64_t folded;

	/* By partition; what is missing in front of the next event makes the answers incomplete. */
	bool *gaps;
	int32_t gap_count;

	pthread_mutex_t lock;
	struct history_reader *idle; /* those that no query has */
};

/* Logs SQLite's last error, and marks the file as damaged where SQLite says so. Returns -EIO. */
int history_fail(struct history *history, sqlite3 *db, const char *doing);
/* Runs and resets a statement of the writer that has no rows. Returns 0 or -EIO. */
int history_run(struct history *history, enum write_statement statement) _must_check_;
/* Steps to its next row. Returns 1 with a row, 0 at the end, or -EIO. */
int history_step(struct history *history, sqlite3_stmt *statement) _must_check_;

static inline sqlite3_stmt *history_statement(struct history *history,
					      enum write_statement statement) {
	return history->statements[statement];
}
