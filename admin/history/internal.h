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

/* What the topic lost in front of the next event of a partition. */
struct history_gap {
	bool is_open;       /* no event came since then */
	int64_t from;       /* the offset that is read next */
	int64_t noticed_ms; /* wall */
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

	struct history_gap *gaps; /* by partition */
	int32_t gap_count;

	pthread_mutex_t lock;
	struct history_reader *idle; /* those that no query has */
};

/* Writes how far the partition is folded, and the time since which nothing of it is missing; 0: as
 * before. Returns 0 or -EIO. */
int history_put_source(struct history *history, int32_t partition, int64_t next,
		       int64_t since_ms) _must_check_;

/* Logs SQLite's last error, and marks the file as damaged where SQLite says so. Returns -EIO. */
int history_fail(struct history *history, sqlite3 *db, const char *doing);
/* Begins a transaction, unless one is open. Returns 0 or -EIO. */
int history_begin(struct history *history) _must_check_;
/* Runs and resets a statement of the writer that has no rows. Returns 0 or -EIO. */
int history_run(struct history *history, enum write_statement statement) _must_check_;
/* Steps to its next row. Returns 1 with a row, 0 at the end, or -EIO. */
int history_step(struct history *history, sqlite3_stmt *statement) _must_check_;

static inline sqlite3_stmt *history_statement(struct history *history,
					      enum write_statement statement) {
	return history->statements[statement];
}
