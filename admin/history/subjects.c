#include "history/subjects.h"

#include "history/internal.h"
#include "history/place.h"

/* A command's events are told one after the other: at the edge of a bucket, some in the one before.
 */
enum { APART_MS = 3600 * 1000 };

static int64_t first_bucket(const struct analytic_event *event) {
	return place_bucket(place_of_time(event->timestamp_ms - APART_MS));
}

static int64_t last_bucket(const struct analytic_event *event) {
	return place_bucket(place_of_time(event->timestamp_ms));
}

int subjects_tell(struct history *history, const struct analytic_event *event, int64_t command_key,
		  int64_t subject_key) {
	sqlite3_stmt *statement = history_statement(history, WRITE_SUBJECT_PUT);
	int r = 0;

	if (!command_key || !subject_key)
		return 0;
	for (int64_t bucket = first_bucket(event); !r && bucket <= last_bucket(event); bucket++) {
		bind_int(statement, 1, bucket);
		bind_int(statement, 2, command_key);
		bind_int(statement, 3, subject_key);
		r = history_run(history, WRITE_SUBJECT_PUT);
	}
	return r;
}

/* Returns 1 where it is found in the bucket. */
static int find_in(struct history *history, int64_t bucket, int64_t command_key, int64_t *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    history_statement(history, WRITE_SUBJECT_GET);
	int r;

	bind_int(statement, 1, bucket);
	bind_int(statement, 2, command_key);
	r = history_step(history, statement);
	if (r == 1)
		*out = sqlite3_column_int64(statement, 0);
	return r;
}

int subjects_find(struct history *history, const struct analytic_event *event, int64_t command_key,
		  int64_t *out) {
	int r = 0;

	*out = 0;
	if (!command_key)
		return 0;
	for (int64_t bucket = last_bucket(event); !r && bucket >= first_bucket(event); bucket--)
		r = find_in(history, bucket, command_key, out);
	return MIN(r, 0);
}
