/* One reading of the history: a connection of its own, and all that it sees is of one commit. */
#pragma once

#include "base/buffer.h"
#include "history/internal.h"

struct reading {
	struct history *history;       /* borrowed */
	struct history_reader *reader; /* owned while it lasts */
	struct buffer *out;            /* borrowed: the answer */
	const char *tenant_id;         /* borrowed */
	int64_t tenant;                /* its number; -1: not known, so it has no rows */
	int64_t since_ms;              /* wall: nothing of the tenant's is missing since then */
	int64_t oldest, newest;        /* places between which all rows lie */
};

/* Begins to read for the tenant. To be ended also after an error. Returns 0 or -EIO after logging.
 */
int reading_begin(struct reading *reading) _must_check_;
void reading_end(struct reading *reading);

static inline sqlite3_stmt *reading_statement(const struct reading *reading,
					      enum read_statement statement) {
	return reading->reader->statements[statement];
}

/* Steps to the next row. Returns 1 with a row, 0 at the end, or -EIO after logging. */
int reading_step(struct reading *reading, sqlite3_stmt *statement) _must_check_;

/* Frees the connections that no reading has. */
void reading_free_idle(struct history *history);

/* Appends `,"completeSince":"..."}`. */
void reading_append_since(struct reading *reading);
