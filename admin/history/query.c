/* Lists of deliveries and events. */
#include "history/query.h"

#include "avro/json.h"
#include "history/event_row.h"
#include "history/place.h"
#include "history/reading.h"

#include <fnmatch.h>
#include <inttypes.h>

struct run {
	struct reading reading;
	const struct history_query *query;
	struct arena *arena; /* of events: holds one */
};

/* The index that leaves the fewest rows: an id before a state, a state before a webhook. */
static sqlite3_stmt *deliveries_of(const struct run *run) {
	const struct history_query *query = run->query;
	bool has_answer = query->http_status >= 300,
	     has_status = query->has_status && query->status != HISTORY_SUCCEEDED;
	sqlite3_stmt *found =
	    reading_statement(&run->reading, query->has_event_id     ? READ_DELIVERIES_OF_EVENT
					     : query->command_id     ? READ_DELIVERIES_OF_COMMAND
					     : query->subject        ? READ_DELIVERIES_OF_SUBJECT
					     : query->has_webhook_id ? READ_DELIVERIES_OF_WEBHOOK
					     : has_status            ? READ_DELIVERIES_OF_STATUS
					     : has_answer            ? READ_DELIVERIES_OF_ANSWER
								     : READ_DELIVERIES);

	if (query->has_event_id)
		bind_uuid(found, 4, &query->event_id);
	else if (query->command_id || query->subject)
		bind_text(found, 4, query->command_id ? query->command_id : query->subject);
	else if (query->has_webhook_id)
		bind_uuid(found, 4, &query->webhook_id);
	else if (has_status)
		bind_int(found, 4, query->status);
	else if (has_answer)
		bind_int(found, 4, query->http_status);
	return found;
}

static sqlite3_stmt *events_of(const struct run *run) {
	const struct history_query *query = run->query;
	sqlite3_stmt *found =
	    reading_statement(&run->reading, query->has_event_id ? READ_EVENTS_OF_EVENT
					     : query->command_id ? READ_EVENTS_OF_COMMAND
					     : query->subject    ? READ_EVENTS_OF_SUBJECT
								 : READ_EVENTS);

	if (query->has_event_id)
		bind_uuid(found, 4, &query->event_id);
	else if (query->command_id || query->subject)
		bind_text(found, 4, query->command_id ? query->command_id : query->subject);
	return found;
}

static bool is_text(const char *wanted, const char *is) {
	return !wanted || (is && strcmp(wanted, is) == 0);
}

static bool is_uuid(bool is_wanted, const struct uuid *wanted, const struct uuid *is) {
	return !is_wanted || (is && uuid_compare(wanted, is) == 0);
}

static bool is_wanted_delivery(const struct history_query *query, const struct delivery_row *row) {
	return is_text(query->subject, row->subject) &&
	       is_text(query->command_id, row->command_id) &&
	       is_uuid(query->has_event_id, &query->event_id, row->event_id) &&
	       is_uuid(query->has_webhook_id, &query->webhook_id, row->webhook_id) &&
	       (!query->has_status || query->status == row->status) &&
	       (!query->http_status || query->http_status == row->last_status);
}

/* Appends the row where the query wants it. Returns whether it did, or -EIO. */
static int append_delivery(struct run *run, sqlite3_stmt *statement) {
	struct delivery_row row;

	if (!delivery_row_read(statement, 0, &row) || !is_wanted_delivery(run->query, &row))
		return 0;
	delivery_row_append(run->reading.out, &row);
	buffer_append_char(run->reading.out, '}');
	return 1;
}

/* Not every event of a command tells the subject; READ_EVENTS_OF_SUBJECT finds them by the others.
 */
static bool is_of_subject(const struct history_query *query, const struct delivery_row *of) {
	bool is_found_by_it = !query->has_event_id && !query->command_id;

	return is_text(query->subject, of->subject) || (is_found_by_it && !of->subject);
}

/* An event without a delivery may have a subject, a command and a webhook. */
static bool is_wanted_event(const struct history_query *query, sqlite3_stmt *statement,
			    const struct delivery_row *delivery) {
	const char *type = column_text(statement, EVENT_TYPE);
	const struct delivery_row own = {
		.webhook_id = column_uuid(statement, EVENT_WEBHOOK_ID),
		.subject = column_text(statement, EVENT_SUBJECT),
		.command_id = column_text(statement, EVENT_COMMAND_ID),
	};
	const struct delivery_row *of = delivery ? delivery : &own;

	return (!query->type || !fnmatch(query->type, type, FNM_NOESCAPE)) &&
	       is_of_subject(query, of) && is_text(query->command_id, of->command_id) &&
	       is_uuid(query->has_webhook_id, &query->webhook_id, of->webhook_id) &&
	       (!query->has_status || (delivery && query->status == delivery->status)) &&
	       (!query->http_status ||
		query->http_status == sqlite3_column_int(statement, EVENT_STATUS));
}

static int append_event(struct run *run, sqlite3_stmt *statement) {
	struct delivery_row row;
	bool has_delivery = delivery_row_read(statement, EVENT_DELIVERY, &row);
	const struct delivery_row *delivery = has_delivery ? &row : NULL;
	struct analytic_event event;

	if (!is_wanted_event(run->query, statement, delivery) ||
	    !event_row_read(&run->reading, statement, delivery, run->arena, &event))
		return 0;
	json_append_event(run->reading.out, &event);
	return 1;
}

typedef int (*append_fn)(struct run *run, sqlite3_stmt *statement);

/* Appends the page's items. `*last`: the place of the last row that was tried; `*is_more`: rows may
 * follow it. */
static int append_items(struct run *run, sqlite3_stmt *statement, append_fn append, int64_t *last,
			bool *is_more) {
	size_t count = 0, tried = 0;
	int r;

	*is_more = false;
	while ((r = reading_step(&run->reading, statement)) == 1) {
		size_t before = run->reading.out->len;
		int added;

		*is_more = count == run->query->limit || tried == QUERY_SCAN_MAX ||
			   before > QUERY_PAGE_BYTES_MAX / 2;
		if (*is_more)
			return 0;
		*last = sqlite3_column_int64(statement, 0);
		tried++;
		buffer_append_string(run->reading.out, count ? "," : "");
		added = append(run, statement);
		if (added <= 0) {
			run->reading.out->len = before;
			run->reading.out->data[before] = '\0';
		}
		count += added > 0;
	}
	return r;
}

static int append_page(struct run *run, sqlite3_stmt *bound, append_fn append) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = bound;
	const struct history_query *query = run->query;
	int64_t last = 0;
	bool is_more;
	int r;

	bind_int(statement, 1, run->reading.tenant);
	bind_int(statement, 2, MIN(query->before, place_of_time(query->to_ms)));
	bind_int(statement, 3, place_of_time(query->from_ms));
	buffer_append_string(run->reading.out, "{\"data\":[");
	r = append_items(run, statement, append, &last, &is_more);
	buffer_append_char(run->reading.out, ']');
	if (is_more)
		buffer_printf(run->reading.out, ",\"nextCursor\":\"%" PRId64 "\"", last);
	reading_append_since(&run->reading);
	return r;
}

int history_query_deliveries(struct history *history, const struct history_query *query,
			     struct buffer *out) {
	struct run run = { { .history = history, .out = out, .tenant_id = query->tenant_id },
			   query,
			   NULL };
	int r = reading_begin(&run.reading);

	if (!r)
		r = append_page(&run, deliveries_of(&run), append_delivery);
	reading_end(&run.reading);
	return r;
}

int history_query_events(struct history *history, const struct history_query *query,
			 struct buffer *out) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct run run = { { .history = history, .out = out, .tenant_id = query->tenant_id },
			   query,
			   arena };
	int r = reading_begin(&run.reading);

	if (!r)
		r = append_page(&run, events_of(&run), append_event);
	reading_end(&run.reading);
	return r;
}
