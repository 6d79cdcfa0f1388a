/* The history's beginning and end, and its transactions. */
#include "history/history.h"

#include "base/log.h"
#include "history/event_row.h"
#include "history/file.h"
#include "history/reading.h"

#include <errno.h>
#include <unistd.h>

enum { PROBLEMS_MAX = 4096 };

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

static int open_file(struct history *history) {
	int r = history_file_open(history->file, &history->db);

	if (r)
		return r;
	return history_prepare_write(history->db, history->statements) == SQLITE_OK
		   ? 0
		   : history_fail(history, history->db, "open");
}

static void close_file(struct history *history) {
	reading_free_idle(history);
	history_statements_finalize(history->statements, WRITE_COUNT);
	sqlite3_close_v2(history->db);
	history->db = NULL;
	names_forget(&history->names);
}

int history_open(const struct history_settings *settings, struct history **out) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	_cleanup_(history_closep) struct history *history = x_calloc(1, sizeof(*history));
	int r;

	pthread_mutex_init(&history->lock, NULL);
	history->file = x_asprintf("%s/history.db", settings->data_dir);
	history->retention_ms = settings->retention_ms;
	history->bytes_max = settings->bytes_max;
	history->value = BUFFER_INIT(EVENT_VALUE_MAX);
	history->lock_fd = history_file_lock(settings->data_dir);
	if (history->lock_fd < 0)
		return history->lock_fd;
	r = codec_new(NULL, &history->codec, &problems);
	if (r)
		return r < 0 ? r : -EINVAL;
	r = open_file(history);
	if (r)
		return r;
	*out = TAKE(history);
	return 0;
}

void history_close(struct history *history) {
	close_file(history);
	if (history->is_damaged && history_file_remove(history->file))
		log_warn("the damaged history could not be removed", "file=%s",
			 log_quote(history->file));
	if (history->lock_fd >= 0)
		close(history->lock_fd);
	codec_freep(&history->codec);
	buffer_destroy(&history->value);
	pthread_mutex_destroy(&history->lock);
	free(history->sources);
	free(history->file);
	free(history);
}

int history_claim(struct history *history, const char *source) {
	int r = history_file_claim(history->db, source);

	if (r == HISTORY_FILE_E_OTHER) {
		log_info("the history is made anew", "file=%s reason=%s", log_quote(history->file),
			 "it is of another topic");
		close_file(history);
		r = history_file_remove(history->file);
		if (!r)
			r = open_file(history);
		if (!r)
			r = history_file_claim(history->db, source);
	}
	return r ? history_fail(history, history->db, "claim") : 0;
}

int history_begin(struct history *history) {
	if (history->is_open)
		return 0;
	history->is_open = true;
	return history_run(history, WRITE_BEGIN);
}

int history_commit(struct history *history) {
	int r;

	if (!history->is_open)
		return 0;
	history->is_open = false;
	r = history_write_sources(history);
	return r ? r : history_run(history, WRITE_COMMIT);
}

bool history_is_damaged(const struct history *history) {
	return history->is_damaged;
}

uint64_t history_folded(const struct history *history) {
	return history->folded;
}

static int64_t pragma(const struct history *history, const char *text) {
	sqlite3_stmt *statement = NULL;
	int64_t value = 0;

	if (sqlite3_prepare_v2(history->db, text, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

int64_t history_bytes(const struct history *history) {
	return (pragma(history, "PRAGMA page_count") - pragma(history, "PRAGMA freelist_count")) *
	       pragma(history, "PRAGMA page_size");
}
