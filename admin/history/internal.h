/* The history as the files of this folder share it. */
#pragma once

#include "avro/codec.h"
#include "base/buffer.h"
#include "history/statement.h"

#include <pthread.h>
#include <stdatomic.h>

/* A larger event is kept in part: history/event_row.h. */
enum { EVENT_VALUE_MAX = 16 * 1024 };

struct name;

/* history/names.h */
struct names {
	struct name *tenants, *words;
};

/* A connection that only reads. A query has one for itself. */
struct history_reader {
	struct history_reader *next;
	sqlite3 *db;
	sqlite3_stmt *statements[READ_COUNT];
};

/* How far a partition is folded. */
struct history_source {
	int64_t next;       /* the offset that is folded next */
	int64_t since_ms;   /* wall: nothing is missing since then; 0: as the file says */
	bool is_changed;    /* the file does not have it yet */
	bool has_gap;       /* the topic has lost what was to come next, and no event came since */
	int64_t noticed_ms; /* wall: when that was noticed */
};

struct history {
	sqlite3 *db;
	sqlite3_stmt *statements[WRITE_COUNT];
	char *file;  /* owned; the database's path */
	int lock_fd; /* of <data_dir>/lock */
	int64_t retention_ms, bytes_max;
	struct codec *codec; /* owned: events are kept in one form, whatever results.framing says */
	struct buffer value; /* scratch: an encoded event */
	struct names names;
	bool is_open;      /* a transaction is */
	int64_t passed_ms; /* wall: the newest event that was too old; 0: none since the commit */
	atomic_bool
	    is_damaged; /* the file is not to be believed: it is removed when it is closed */
	uint64_t folded;

	struct history_source *sources; /* by partition */
	int32_t source_count;

	pthread_mutex_t lock;
	struct history_reader *idle; /* those that no query has */
};

/* The partition's, which is made where it is not there. */
struct history_source *history_source_of(struct history *history, int32_t partition);

/* Writes how far the partitions are folded, in front of a commit. Returns 0 or -EIO. */
int history_write_sources(struct history *history) _must_check_;

/* Logs SQLite's last error, and marks the file as damaged where SQLite says so. Returns -EIO. */
int history_fail(struct history *history, sqlite3 *db, const char *doing);
/* Begins a transaction, unless one is open. Returns 0 or -EIO. */
int history_begin(struct history *history) _must_check_;
/* Runs and resets a statement of the writer that has no rows. Returns 0 or -EIO. */
int history_run(struct history *history, enum write_statement statement) _must_check_;
/* Runs a statement that inserts the bound row, at the first free place from `place` on. Returns 0
 * or -EIO. */
int history_put(struct history *history, enum write_statement statement, int64_t place,
		int64_t *out) _must_check_;
/* Steps to its next row. Returns 1 with a row, 0 at the end, or -EIO. */
int history_step(struct history *history, sqlite3_stmt *statement) _must_check_;

static inline sqlite3_stmt *history_statement(struct history *history,
					      enum write_statement statement) {
	return history->statements[statement];
}
