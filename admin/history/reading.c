#include "history/reading.h"

#include "base/clock.h"
#include "history/file.h"

static int fail(struct reading *reading, const char *doing) {
	return history_fail(reading->history, reading->reader->db, doing);
}

static struct history_reader *take_idle(struct history *history) {
	struct history_reader *reader;

	pthread_mutex_lock(&history->lock);
	reader = history->idle;
	if (reader)
		history->idle = reader->next;
	pthread_mutex_unlock(&history->lock);
	return reader;
}

static int open_reader(struct reading *reading) {
	reading->reader = take_idle(reading->history);
	if (reading->reader)
		return 0;
	reading->reader = x_calloc(1, sizeof(*reading->reader));
	if (history_file_open_readonly(reading->history->file, &reading->reader->db) == SQLITE_OK &&
	    history_prepare_read(reading->reader->db, reading->reader->statements) == SQLITE_OK)
		return 0;
	return fail(reading, "open to read");
}

static void free_reader(struct history_reader *reader) {
	history_statements_finalize(reader->statements, READ_COUNT);
	sqlite3_close_v2(reader->db);
	free(reader);
}

void reading_free_idle(struct history *history) {
	while (history->idle) {
		struct history_reader *reader = history->idle;

		history->idle = reader->next;
		free_reader(reader);
	}
}

void reading_end(struct reading *reading) {
	struct history *history = reading->history;

	if (!reading->reader->statements[READ_COUNT - 1]) {
		free_reader(reading->reader); /* it could not be opened */
		return;
	}
	sqlite3_step(reading->reader->statements[READ_END]);
	sqlite3_reset(reading->reader->statements[READ_END]);
	pthread_mutex_lock(&history->lock);
	reading->reader->next = history->idle;
	history->idle = reading->reader;
	pthread_mutex_unlock(&history->lock);
}

/* Returns 1 with a row, 0 at the end, or -EIO. */
int reading_step(struct reading *reading, sqlite3_stmt *statement) {
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return fail(reading, "query");
	}
}

/* Finds the tenant's number, and its partition; a tenant that is not known has no rows, and answers
 * that are complete where those of every partition are. */
static int find_tenant(struct reading *reading) {
	_cleanup_(statement_resetp) sqlite3_stmt *tenant = reading_statement(reading, READ_TENANT);
	_cleanup_(statement_resetp) sqlite3_stmt *since =
	    reading_statement(reading, READ_COMPLETE_SINCE);
	int r;

	bind_text(tenant, 1, reading->tenant_id);
	r = reading_step(reading, tenant);
	if (r < 0)
		return r;
	reading->tenant = r ? sqlite3_column_int64(tenant, 0) : -1;
	if (r)
		bind_int(since, 1, sqlite3_column_int64(tenant, 1));
	else
		sqlite3_bind_null(since, 1);
	r = reading_step(reading, since);
	if (r == 1)
		reading->since_ms = sqlite3_column_int64(since, 0);
	return MIN(r, 0);
}

static int find_ends(struct reading *reading) {
	_cleanup_(statement_resetp) sqlite3_stmt *ends = reading_statement(reading, READ_ENDS);
	int r = reading_step(reading, ends);

	reading->oldest = INT64_MAX;
	for (int i = 0; r == 1 && i < 2; i++)
		if (sqlite3_column_type(ends, i) != SQLITE_NULL)
			reading->oldest = MIN(reading->oldest, sqlite3_column_int64(ends, i));
	if (r == 1) /* 0 for NULL */
		reading->newest = MAX(sqlite3_column_int64(ends, 2), sqlite3_column_int64(ends, 3));
	return MIN(r, 0);
}

/* All that follows sees one commit. */
int reading_begin(struct reading *reading) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = NULL;
	int r = open_reader(reading);

	if (r)
		return r;
	statement = reading_statement(reading, READ_BEGIN);
	r = reading_step(reading, statement);
	if (!r)
		r = find_ends(reading);
	return r ? r : find_tenant(reading);
}

void reading_append_since(struct reading *reading) {
	char text[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(reading->since_ms, text);
	buffer_printf(reading->out, ",\"completeSince\":\"%s\"}", text);
}
