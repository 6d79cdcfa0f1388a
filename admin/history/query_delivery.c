/* One delivery with its attempts. */
#include "base/clock.h"
#include "history/event_row.h"
#include "history/query.h"
#include "history/reading.h"

/* JSON may double a value's length. */
_Static_assert(QUERY_BYTES_MAX > (2 * QUERY_ATTEMPTS_MAX + 1) * EVENT_VALUE_MAX,
	       "all attempts have room");

static void append_response(struct buffer *out, const struct attempt_response *response) {
	size_t before;

	if (!response)
		return;
	buffer_append_string(out, ",\"response\":{");
	before = out->len;
	delivery_row_append_text(out, "body", response->body);
	delivery_row_append_text(out, "address", response->address);
	delivery_row_append_text(out, "httpVersion", response->http_version);
	delivery_row_append_text(out, "tlsVersion", response->tls_version);
	if (out->len > before) /* its first comma */
		memmove(out->data + before, out->data + before + 1, out->len-- - before);
	buffer_append_char(out, '}');
}

static void append_attempt(struct buffer *out, const struct analytic_event *event) {
	const struct delivery_report *report = &event->data.delivery;
	char at[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(report->attempted_at_ms ? report->attempted_at_ms
						     : event->timestamp_ms - report->duration_ms,
			     at);
	buffer_printf(out, "%s{\"at\":\"%s\"", out->data[out->len - 1] == '[' ? "" : ",", at);
	delivery_row_append_number(out, "status", report->status, 0);
	delivery_row_append_text(out, "reason", report->reason);
	delivery_row_append_number(out, "durationMs", report->duration_ms, -1);
	append_response(out, report->response);
	buffer_append_char(out, '}');
}

/* The oldest may have left the history, or be more than an answer has room for. */
static int append_attempts(struct reading *reading, const struct delivery_row *delivery,
			   struct arena *arena) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    reading_statement(reading, READ_EVENTS_OF_DELIVERY);
	int32_t appended = 0;
	int r;

	bind_int(statement, 1, delivery->place);
	bind_int(statement, 2, delivery->attempts - QUERY_ATTEMPTS_MAX);
	buffer_append_string(reading->out, ",\"attempts\":[");
	while ((r = reading_step(reading, statement)) == 1) {
		struct analytic_event event;
		struct event_row row;

		if (!event_row_read(statement, &row) ||
		    !event_row_decode(reading, arena, &row, delivery, &event))
			continue;
		append_attempt(reading->out, &event);
		appended++;
	}
	buffer_append_char(reading->out, ']');
	delivery_row_append_number(reading->out, "attemptsLeftOut",
				   MAX(delivery->attempts - appended, 0), 0);
	return r;
}

static int append_one(struct reading *reading, const struct uuid *id, struct arena *arena) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    reading_statement(reading, READ_DELIVERY);
	struct delivery_row row;
	int r;

	bind_int(statement, 1, reading->tenant);
	bind_uuid(statement, 2, id);
	r = reading_step(reading, statement);
	if (r < 0)
		return r;
	if (r == 0 || !delivery_row_read(statement, 0, &row))
		return HISTORY_E_NOT_FOUND;
	delivery_row_append(reading->out, &row);
	r = append_attempts(reading, &row, arena);
	reading_append_since(reading);
	return r;
}

int history_query_delivery(struct history *history, const char *tenant_id, const struct uuid *id,
			   struct arena *arena, struct buffer *out) {
	struct reading reading = { .history = history, .out = out, .tenant_id = tenant_id };
	int r = reading_begin(&reading);

	if (!r)
		r = append_one(&reading, id, arena);
	reading_end(&reading);
	return r;
}
