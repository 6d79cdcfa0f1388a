/* The history's beginning and end, its transactions, and how far it reaches. */
#include "history/history.h"

#include "base/log.h"
#include "history/event_value.h"
#include "history/file.h"
#include "history/place.h"
#include "history/reading.h"
#include "history/statistics.h"

#include <errno.h>
#include <unistd.h>

enum { PROBLEMS_MAX = 4096, PRUNE_ROWS = 5000, ROW_BYTES_MIN = 200 };

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
	free(history->gaps);
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

static void note_gap(struct history *history, int32_t partition, const struct history_gap *gap) {
	if (partition >= history->gap_count) {
		history->gaps =
		    x_realloc(history->gaps, (size_t)(partition + 1) * sizeof(*history->gaps));
		for (int32_t i = history->gap_count; i <= partition; i++)
			history->gaps[i] = (struct history_gap){ 0 };
		history->gap_count = partition + 1;
	}
	history->gaps[partition] = *gap;
}

int64_t history_resume(struct history *history, int32_t partition, int64_t begin, int64_t end,
		       int64_t now_ms) {
	_cleanup_(statement_resetp) sqlite3_stmt *get =
	    history_statement(history, WRITE_SOURCE_GET);
	int64_t next = 0, from;
	int r;

	bind_int(get, 1, partition);
	r = history_step(history, get);
	if (r < 0)
		return r;
	if (r == 1)
		next = sqlite3_column_int64(get, 0);
	if (next > end) {
		log_warn("the history is made anew", "partition=%d next=%lld end=%lld reason=%s",
			 partition, (long long)next, (long long)end,
			 log_quote("the topic ends before what was read of it"));
		history->is_damaged = true;
		return -EIO;
	}
	from = MAX(next, begin);
	note_gap(history, partition, &(struct history_gap){ from != next, from, now_ms });
	if (from != next)
		log_info("the history does not go on where it ended",
			 "partition=%d next=%lld begin=%lld end=%lld", partition, (long long)next,
			 (long long)begin, (long long)end);
	return from;
}

int history_put_source(struct history *history, int32_t partition, int64_t next, int64_t since_ms) {
	sqlite3_stmt *statement = history_statement(history, WRITE_SOURCE_PUT);

	bind_int(statement, 1, partition);
	bind_int(statement, 2, next);
	bind_int(statement, 3, since_ms);
	return history_run(history, WRITE_SOURCE_PUT);
}

int history_settle(struct history *history) {
	int r = 0;

	for (int32_t i = 0; !r && i < history->gap_count; i++) {
		struct history_gap *gap = &history->gaps[i];

		if (!gap->is_open)
			continue;
		r = history_begin(history);
		if (!r)
			r = history_put_source(history, i, gap->from, gap->noticed_ms);
		gap->is_open = false;
	}
	return r;
}

int history_begin(struct history *history) {
	if (history->is_open)
		return 0;
	history->is_open = true;
	return history_run(history, WRITE_BEGIN);
}

int history_commit(struct history *history) {
	if (!history->is_open)
		return 0;
	history->is_open = false;
	return history_run(history, WRITE_COMMIT);
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

/* The place in the first column of the only row; PLACE_NONE without one. */
static int read_place(struct history *history, enum write_statement statement, int64_t *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *read = history_statement(history, statement);
	int r = history_step(history, read);

	*out = r == 1 && sqlite3_column_type(read, 0) != SQLITE_NULL ? sqlite3_column_int64(read, 0)
								     : INT64_MAX;
	return MIN(r, 0);
}

/* Deletes the events before the place. A delivery leaves with its last event. */
static int prune_before(struct history *history, int64_t place, int64_t now_ms) {
	static const enum write_statement deletions[] = { WRITE_PRUNE_DELIVERIES,
							  WRITE_PRUNE_EVENTS };
	int64_t since_ms = MIN(place_time_ms(place) + 1, now_ms);
	int r = history_run(history, WRITE_BEGIN);

	for (size_t i = 0; !r && i < ARRAY_LEN(deletions); i++) {
		bind_int(history_statement(history, deletions[i]), 1, place);
		r = history_run(history, deletions[i]);
	}
	if (r)
		return r;
	bind_int(history_statement(history, WRITE_PRUNED), 1, since_ms);
	r = history_run(history, WRITE_PRUNED);
	return r ? r : history_run(history, WRITE_COMMIT);
}

static int prune_attempts(struct history *history, int64_t now_ms) {
	bind_int(history_statement(history, WRITE_PRUNE_ATTEMPTS), 1,
		 statistics_first_hour(now_ms));
	return history_run(history, WRITE_PRUNE_ATTEMPTS);
}

int history_prune(struct history *history, int64_t now_ms) {
	int64_t target = place_of_time(now_ms - history->retention_ms), oldest, nth;
	int64_t excess, rows = PRUNE_ROWS;
	int r = history_commit(history);

	if (!r)
		r = prune_attempts(history, now_ms);
	if (!r)
		r = read_place(history, WRITE_OLDEST, &oldest);
	if (r)
		return r;
	excess = history_bytes(history) - history->bytes_max;
	if (excess > 0) {
		target = place_of_time(now_ms);
		rows = MIN(rows, 1 + excess / ROW_BYTES_MIN); /* no more than need be */
	}
	if (oldest >= target)
		return 0;
	bind_int(history_statement(history, WRITE_NTH_OLDEST), 1, rows);
	r = read_place(history, WRITE_NTH_OLDEST, &nth);
	if (!r)
		r = prune_before(history, MIN(target, nth), now_ms);
	return r ? r : HISTORY_E_MORE;
}
