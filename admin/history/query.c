/* Lists of deliveries and events. */
#include "history/query.h"

#include "avro/json.h"
#include "history/event_row.h"
#include "history/key.h"
#include "history/walk.h"

#include <fnmatch.h>
#include <inttypes.h>

struct page;

/* Appends the row where the query wants it. Returns whether it did. */
typedef bool (*append_fn)(struct page *page, sqlite3_stmt *statement);

struct page {
	struct reading reading;
	const struct history_query *query;
	append_fn append;
	struct arena *arena; /* of events: holds one */
	int64_t subject_key; /* of events: of the subject that is asked for; 0: of none */
	size_t count, tried; /* of the rows: the items, and all */
	int64_t last;        /* the place of the last row that was tried */
	bool is_more;        /* rows may follow it */
};

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

static bool append_delivery(struct page *page, sqlite3_stmt *statement) {
	struct delivery_row row;

	if (!delivery_row_read(statement, 0, &row) || !is_wanted_delivery(page->query, &row))
		return false;
	delivery_row_append(page->reading.out, &row);
	buffer_append_char(page->reading.out, '}');
	return true;
}

/* An event without a delivery may have a subject, a command and a webhook; and is of the event that
 * its command made. */
static bool is_wanted_own(const struct page *page, const struct event_row *event) {
	const struct history_query *query = page->query;

	return (!page->subject_key || page->subject_key == event->subject_key) &&
	       is_text(query->command_id, event->command_id) && !query->has_status &&
	       (!query->has_webhook_id || event->webhook == key_of_uuid(&query->webhook_id));
}

static bool is_wanted_event(const struct page *page, const struct event_row *event,
			    const struct delivery_row *delivery) {
	const struct history_query *query = page->query;
	struct history_query of_delivery = *query;

	of_delivery.http_status = 0;
	return (!query->type || !fnmatch(query->type, event->type, FNM_NOESCAPE)) &&
	       (!query->http_status || query->http_status == event->status) &&
	       (delivery ? is_wanted_delivery(&of_delivery, delivery) : is_wanted_own(page, event));
}

static bool append_event(struct page *page, sqlite3_stmt *statement) {
	struct delivery_row delivery_row, *delivery = &delivery_row;
	struct analytic_event event;
	struct event_row row;

	if (!delivery_row_read(statement, EVENT_COLUMNS, delivery))
		delivery = NULL;
	if (!event_row_read(statement, &row) || !is_wanted_event(page, &row, delivery))
		return false;
	arena_reset(page->arena);
	if (!event_row_decode(&page->reading, page->arena, &row, delivery, &event))
		return false;
	json_append_event(page->reading.out, &event);
	return true;
}

static int take_row(void *userdata, sqlite3_stmt *statement) {
	struct page *page = userdata;
	struct buffer *out = page->reading.out;
	size_t before = out->len;

	page->is_more = page->count == page->query->limit || page->tried == QUERY_SCAN_MAX ||
			before > QUERY_PAGE_BYTES_MAX / 2;
	if (page->is_more)
		return 1;
	page->last = sqlite3_column_int64(statement, 0);
	page->tried++;
	buffer_append_string(out, page->count ? "," : "");
	if (page->append(page, statement)) {
		page->count++;
		return 0;
	}
	out->len = before;
	out->data[before] = '\0';
	return 0;
}

/* `walk`: NULL for a page without rows. */
static int append_page(struct page *page, const struct walk *walk) {
	struct buffer *out = page->reading.out;
	int r = 0;

	buffer_append_string(out, "{\"data\":[");
	if (walk)
		r = walk_run(&page->reading, walk, page->query, take_row, page);
	buffer_append_char(out, ']');
	if (page->is_more)
		buffer_printf(out, ",\"nextCursor\":\"%" PRId64 "\"", page->last);
	reading_append_since(&page->reading);
	return r;
}

static struct page page_of(struct history *history, const struct history_query *query,
			   struct buffer *out, append_fn append) {
	return (struct page){
		.reading = { .history = history, .out = out, .tenant_id = query->tenant_id },
		.query = query,
		.append = append,
	};
}

int history_query_deliveries(struct history *history, const struct history_query *query,
			     struct buffer *out) {
	struct page page = page_of(history, query, out, append_delivery);
	struct walk walk = walk_of_deliveries(query);
	int r = reading_begin(&page.reading);

	if (!r)
		r = append_page(&page, &walk);
	reading_end(&page.reading);
	return r;
}

/* The events of an event's command, of which it may be one of two. */
static int append_events(struct page *page, struct history_query *query, struct arena *arena) {
	const char *command_id = query->command_id;
	struct walk walk;
	int r;

	if (query->has_event_id) {
		r = walk_find_command(&page->reading, arena, &query->event_id, &command_id);
		if (r || !command_id || !is_text(query->command_id, command_id))
			return r ? r : append_page(page, NULL);
		query->command_id = command_id;
	}
	walk = walk_of_events(query);
	return append_page(page, &walk);
}

int history_query_events(struct history *history, const struct history_query *asked,
			 struct buffer *out) {
	_cleanup_(arena_freep) struct arena *arena = arena_new(), *names = arena_new();
	struct history_query query = *asked;
	struct page page = page_of(history, &query, out, append_event);
	int r = reading_begin(&page.reading);

	page.arena = arena;
	page.subject_key = key_of_text(query.tenant_id, query.subject);
	if (!r)
		r = append_events(&page, &query, names);
	reading_end(&page.reading);
	return r;
}
