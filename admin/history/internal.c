#include "history/internal.h"

#include "base/log.h"

#include <errno.h>

int history_fail(struct history *history, sqlite3 *db, const char *doing) {
	int error = sqlite3_errcode(db);

	log_error("the history failed", "doing=%s error=%s", doing, log_quote(sqlite3_errmsg(db)));
	if (error == SQLITE_CORRUPT || error == SQLITE_NOTADB)
		history->is_damaged = true;
	return -EIO;
}

int history_step(struct history *history, sqlite3_stmt *statement) {
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return history_fail(history, history->db, "fold");
	}
}

int history_run(struct history *history, enum write_statement statement) {
	_cleanup_(statement_resetp) sqlite3_stmt *run = history_statement(history, statement);
	int r = history_step(history, run);

	return MIN(r, 0);
}

int history_put(struct history *history, enum write_statement statement, int64_t place,
		int64_t *out) {
	int r;

	for (*out = place;; ++*out) {
		bind_int(history_statement(history, statement), 1, *out);
		r = history_run(history, statement);
		if (r || sqlite3_changes(history->db))
			return r;
	}
}

int history_begin(struct history *history) {
	if (history->is_open)
		return 0;
	history->is_open = true;
	return history_run(history, WRITE_BEGIN);
}
