/* What an event changes, and when it is seen. */
#include "history/delivery_fold.h"
#include "history/duration_bucket.h"
#include "history/event_row.h"
#include "history/internal.h"
#include "history/key.h"
#include "history/names.h"
#include "history/place.h"
#include "history/statistics.h"
#include "history/subjects.h"

/* Of an event that belongs to no delivery; NULL: it tells none. */
static const char *subject_of(const struct analytic_event *event) {
	return event->data.kind == EVENT_DATA_CREDENTIAL_ISSUED
		   ? event->data.credential_issued.credential_id
		   : NULL;
}

static const struct uuid *webhook_of(const struct analytic_event *event) {
	return event->data.kind == EVENT_DATA_WEBHOOK    ? &event->data.webhook.id
	       : event->data.kind == EVENT_DATA_DELIVERY ? &event->data.delivery.webhook_id
							 : NULL;
}

/* The keys by which an event that belongs to no delivery is found. */
static int find_keys(struct history *history, const struct analytic_event *event,
		     struct delivery_state *out) {
	out->command_key = key_of_text(event->tenant_id, event->command_id);
	out->subject_key = key_of_text(event->tenant_id, subject_of(event));
	return out->subject_key
		   ? subjects_tell(history, event, out->command_key, out->subject_key)
		   : subjects_find(history, event, out->command_key, &out->subject_key);
}

/* Of an event that belongs to no delivery. */
static void bind_own(sqlite3_stmt *statement, const struct analytic_event *event) {
	const struct event_data *data = &event->data;
	bool is_issued = data->kind == EVENT_DATA_CREDENTIAL_ISSUED,
	     is_published = data->kind == EVENT_DATA_PUBLISHED;

	sqlite3_bind_null(statement, 8);
	bind_int_or_null(statement, 12, is_issued ? data->credential_issued.deliveries : -1, -1);
	for (int i = 13; i <= 17; i++)
		sqlite3_bind_null(statement, i);
	bind_text(statement, 18, event->command_id);
	bind_text(statement, 19, subject_of(event));
	bind_uuid(statement, 20, is_published ? &data->published.event_id : NULL);
}

static void bind_step(sqlite3_stmt *statement, const struct analytic_event *event,
		      const struct delivery_state *state) {
	const struct delivery_report *report = &event->data.delivery;

	bind_int(statement, 8, state->place);
	bind_int(statement, 12, report->attempt);
	bind_int_or_null(statement, 13, event_is_attempt(event) ? state->attempts : -1, -1);
	bind_int_or_null(statement, 14, state->last_reason, 0);
	bind_int_or_null(statement, 15, report->duration_ms, -1);
	bind_int_or_null(statement, 16, report->attempted_at_ms, 0);
	bind_int_or_null(statement, 17, report->next_attempt_at_ms, 0);
	for (int i = 18; i <= 20; i++)
		sqlite3_bind_null(statement, i);
}

static void bind_value(sqlite3_stmt *statement, const struct buffer *value) {
	if (value->len)
		sqlite3_bind_blob(statement, 21, value->data, (int)value->len, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, 21);
}

/* `state`: of its delivery; of an event that belongs to none the keys alone. */
static int put_event(struct history *history, const struct analytic_event *event, int64_t tenant,
		     const struct delivery_state *state, int64_t place) {
	sqlite3_stmt *statement = history_statement(history, WRITE_EVENT_PUT);
	int64_t type = 0;
	int r = names_word(history, analytic_event_type(event->subject, event->step), &type);

	if (r)
		return r;
	bind_uuid(statement, 2, &event->id);
	bind_int(statement, 3, tenant);
	bind_int(statement, 4, type);
	bind_int(statement, 5, event->repeat);
	bind_int(statement, 6, event_is_failed_attempt(event));
	bind_int_or_null(statement, 7, event->status, 0);
	bind_int_or_null(statement, 9, key_of_uuid(webhook_of(event)), 0);
	bind_int_or_null(statement, 10, state->command_key, 0);
	bind_int_or_null(statement, 11, state->subject_key, 0);
	if (event_is_of_delivery(event))
		bind_step(statement, event, state);
	else
		bind_own(statement, event);
	bind_value(statement, &history->value);
	return history_put(history, WRITE_EVENT_PUT, place, &place);
}

/* Those that no statistics tell of any more are passed over: a topic's past is read faster. */
static int count_attempt(struct history *history, const struct analytic_event *event,
			 int64_t tenant, int64_t now_ms) {
	sqlite3_stmt *statement = history_statement(history, WRITE_ATTEMPT);

	if (!event_is_attempt(event) ||
	    event->timestamp_ms / STATISTICS_HOUR_MS < statistics_first_hour(now_ms))
		return 0;
	bind_int(statement, 1, event->timestamp_ms / STATISTICS_HOUR_MS);
	bind_int(statement, 2, tenant);
	bind_uuid(statement, 3, &event->data.delivery.webhook_id);
	bind_int(statement, 4, duration_bucket(event->data.delivery.duration_ms));
	bind_int(statement, 5, !event_is_failed_attempt(event));
	bind_int(statement, 6, event_is_failed_attempt(event));
	return history_run(history, WRITE_ATTEMPT);
}

static int fold(struct history *history, const struct analytic_event *event, int32_t partition,
		int64_t offset, int64_t now_ms) {
	struct delivery_state state = { 0 };
	int64_t tenant = 0;
	int r;

	if (!event_row_encode(history->codec, event, &history->value))
		return 0;
	r = names_tenant(history, event->tenant_id, partition, &tenant);
	if (!r)
		r = event_is_of_delivery(event) ? delivery_fold(history, event, tenant, &state)
						: find_keys(history, event, &state);
	if (!r)
		r = count_attempt(history, event, tenant, now_ms);
	return r ? r
		 : put_event(history, event, tenant, &state,
			     place_of_event(event->timestamp_ms, partition, offset));
}

/* The first event behind a gap is the first one from which nothing is missing. */
static void note_source(struct history *history, int32_t partition, int64_t offset,
			int64_t timestamp_ms) {
	struct history_source *source = history_source_of(history, partition);

	source->next = offset + 1;
	source->is_changed = true;
	if (source->has_gap)
		source->since_ms = timestamp_ms;
	source->has_gap = false;
}

int history_fold(struct history *history, const struct analytic_event *event, int32_t partition,
		 int64_t offset, int64_t now_ms) {
	int r = history_begin(history);

	if (r)
		return r;
	note_source(history, partition, offset, event->timestamp_ms);
	history->folded++;
	if (event->timestamp_ms >= now_ms - history->retention_ms)
		return fold(history, event, partition, offset, now_ms);
	/* It would be the next to be deleted. */
	history->passed_ms = MAX(history->passed_ms, event->timestamp_ms + 1);
	return 0;
}

int history_commit(struct history *history) {
	int r;

	if (!history->is_open)
		return 0;
	history->is_open = false;
	r = history_write_sources(history);
	return r ? r : history_run(history, WRITE_COMMIT);
}
