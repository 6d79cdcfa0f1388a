/* The history's beginning and end, and its figures. */
#include "history/history.h"

#include "base/log.h"
#include "history/file.h"
#include "history/names.h"
#include "history/reading.h"

#include <errno.h>
#include <unistd.h>

enum { PROBLEMS_MAX = 4096 };

static int open_file(struct history *history) {
	int r = history_file_open(history->file, &history->db);

	if (r)
		return r;
	if (history_prepare_write(history->db, history->statements) == SQLITE_OK)
		return 0;
	history->is_damaged = history_file_is_unusable(history->db);
	return history_fail(history, history->db, "open");
}

static void close_file(struct history *history) {
	reading_free_idle(history);
	history_statements_finalize(history->statements, WRITE_COUNT);
	sqlite3_close_v2(history->db);
	history->db = NULL;
	names_forget(&history->names);
}

static int make_anew(struct history *history, const char *reason) {
	int r;

	log_info("the history is made anew", "file=%s reason=%s", log_quote(history->file),
		 log_quote(reason));
	close_file(history);
	r = history_file_remove(history->file);
	history->is_damaged = false;
	return r ? r : open_file(history);
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
	if (r && history->is_damaged)
		r = make_anew(history, "a table is missing");
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
		if (make_anew(history, "it is of another topic"))
			return -EIO;
		r = history_file_claim(history->db, source);
	}
	return r ? history_fail(history, history->db, "claim") : 0;
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
