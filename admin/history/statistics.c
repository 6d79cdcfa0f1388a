#include "history/statistics.h"

#include "avro/json.h"
#include "base/clock.h"
#include "history/duration_bucket.h"
#include "history/event_row.h"
#include "history/key.h"

#include <inttypes.h>

struct tally {
	int64_t succeeded, failed;
	int64_t durations[DURATION_BUCKETS];
};

static void add(struct tally *to, int bucket, int64_t succeeded, int64_t failed) {
	to->succeeded += succeeded;
	to->failed += failed;
	to->durations[bucket] += succeeded + failed;
}

/* Adds the hour's attempts to both. Returns 0 or -EIO. */
static int read_hour(struct reading *reading, const struct uuid *webhook_id, int64_t number,
		     struct tally *hour, struct tally *all) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    reading_statement(reading, READ_ATTEMPTS);
	int r;

	bind_int(statement, 1, number);
	bind_int(statement, 2, reading->tenant);
	bind_uuid(statement, 3, webhook_id);
	while ((r = reading_step(reading, statement)) == 1) {
		int bucket = MIN(MAX(sqlite3_column_int(statement, 0), 0), DURATION_BUCKETS - 1);
		int64_t succeeded = sqlite3_column_int64(statement, 1),
			failed = sqlite3_column_int64(statement, 2);

		add(hour, bucket, succeeded, failed);
		add(all, bucket, succeeded, failed);
	}
	return r;
}

/* Without braces. */
static void append_tally(struct buffer *out, const struct tally *tally) {
	buffer_printf(out, "\"succeeded\":%" PRId64 ",\"failed\":%" PRId64, tally->succeeded,
		      tally->failed);
	if (tally->succeeded + tally->failed)
		buffer_printf(out, ",\"durationMs\":{\"p50\":%" PRId64 ",\"p99\":%" PRId64 "}",
			      duration_percentile(tally->durations, 50),
			      duration_percentile(tally->durations, 99));
}

/* The hours are appended behind what they make together. */
static int append_hours(struct reading *reading, const struct uuid *webhook_id, int64_t first) {
	struct tally hours[STATISTICS_HOURS] = { 0 }, all = { 0 };
	struct buffer *out = reading->out;

	for (int i = 0; i < STATISTICS_HOURS; i++) {
		int r = read_hour(reading, webhook_id, first + i, &hours[i], &all);

		if (r)
			return r;
	}
	append_tally(out, &all);
	buffer_append_string(out, ",\"hours\":[");
	for (int i = 0; i < STATISTICS_HOURS; i++) {
		char from[CLOCK_ISO8601_SIZE];

		clock_format_iso8601((first + i) * STATISTICS_HOUR_MS, from);
		buffer_printf(out, "%s{\"from\":\"%s\",", i ? "," : "", from);
		append_tally(out, &hours[i]);
		buffer_append_char(out, '}');
	}
	buffer_append_char(out, ']');
	return 0;
}

static int append_failures(struct reading *reading, const struct uuid *webhook_id) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    reading_statement(reading, READ_FAILURES);
	int count = 0, r = 1;

	bind_int(statement, 1, reading->tenant);
	bind_int(statement, 2, INT64_MAX);
	bind_int(statement, 3, 0);
	bind_int(statement, 4, key_of_uuid(webhook_id));
	buffer_append_string(reading->out, ",\"failures\":[");
	while (count < STATISTICS_FAILURES && (r = reading_step(reading, statement)) == 1) {
		struct delivery_row delivery;
		struct analytic_event event;
		struct event_row row;

		arena_reset(arena);
		if (!delivery_row_read(statement, EVENT_COLUMNS, &delivery) ||
		    uuid_compare(delivery.webhook_id, webhook_id) != 0 ||
		    !event_row_read(statement, &row) ||
		    !event_row_decode(reading, arena, &row, &delivery, &event))
			continue;
		buffer_append_string(reading->out, count++ ? "," : "");
		json_append_event(reading->out, &event);
	}
	buffer_append_char(reading->out, ']');
	return MIN(r, 0);
}

static int append_statistics(struct reading *reading, const struct uuid *webhook_id,
			     int64_t now_ms) {
	int r;

	buffer_append_char(reading->out, '{');
	r = append_hours(reading, webhook_id, statistics_first_hour(now_ms));
	if (!r)
		r = append_failures(reading, webhook_id);
	reading_append_since(reading);
	return r;
}

int history_query_statistics(struct history *history, const char *tenant_id,
			     const struct uuid *webhook_id, int64_t now_ms, struct buffer *out) {
	struct reading reading = { .history = history, .out = out, .tenant_id = tenant_id };
	int r = reading_begin(&reading);

	if (!r)
		r = append_statistics(&reading, webhook_id, now_ms);
	reading_end(&reading);
	return r;
}
