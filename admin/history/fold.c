/* What an event changes. */
#include "history/event_row.h"
#include "history/internal.h"
#include "history/key.h"
#include "history/place.h"

#include <errno.h>

/* Inserts the bound row at the first free place from `place` on. */
static int put(struct history *history, enum write_statement statement, int64_t place,
	       int64_t *out) {
	int r;

	for (*out = place;; ++*out) {
		bind_int(history_statement(history, statement), 1, *out);
		r = history_run(history, statement);
		if (r || sqlite3_changes(history->db))
			return r;
	}
}

/* A delivery's row, before and after an event. */
struct state {
	int64_t place;
	int64_t subject_key, command_key; /* 0: none */
	enum history_status status;
	int64_t ended_at_ms, next_attempt_at_ms;
	int32_t attempts;
	int32_t last_status;
	int64_t last_reason;
};

static enum history_status status_after(const struct analytic_event *event) {
	bool is_attempt = event->data.delivery.duration_ms >= 0;

	switch (event->step) {
	case ANALYTIC_PROCESS_SUCCESS:
		return HISTORY_SUCCEEDED;
	case ANALYTIC_PROCESS_FAIL:
		return is_attempt ? HISTORY_DEAD : HISTORY_WITHDRAWN;
	default:
		return HISTORY_PENDING;
	}
}

static int apply(struct history *history, const struct analytic_event *event, struct state *state) {
	const struct delivery_report *report = &event->data.delivery;
	bool is_attempt = report->duration_ms >= 0;

	state->status = status_after(event);
	state->ended_at_ms = state->status == HISTORY_PENDING ? 0 : event->timestamp_ms;
	state->next_attempt_at_ms = report->next_attempt_at_ms;
	/* One whose recording is not here had attempts before. */
	state->attempts = MAX(state->attempts + is_attempt, report->attempt);
	state->last_status = report->status;
	return names_word(history, report->reason, &state->last_reason);
}

static void bind_state(sqlite3_stmt *statement, int status, int attempts,
		       const struct state *state) {
	bind_int(statement, status, state->status);
	bind_int_or_null(statement, status + 1, state->ended_at_ms, 0);
	bind_int_or_null(statement, status + 2, state->next_attempt_at_ms, 0);
	bind_int(statement, attempts, state->attempts);
	bind_int_or_null(statement, attempts + 1, state->last_status, 0);
	bind_int_or_null(statement, attempts + 2, state->last_reason, 0);
}

static int insert(struct history *history, const struct analytic_event *event, int64_t tenant,
		  struct state *state) {
	const struct delivery_report *report = &event->data.delivery;
	sqlite3_stmt *statement = history_statement(history, WRITE_DELIVERY_PUT);
	int64_t event_type = 0;
	int r = names_word(history, report->event_type, &event_type);

	if (r)
		return r;
	state->subject_key = key_of_text(event->tenant_id, report->subject);
	state->command_key = key_of_text(event->tenant_id, event->command_id);
	bind_uuid(statement, 2, &report->delivery_id);
	bind_int(statement, 3, tenant);
	bind_uuid(statement, 4, &report->webhook_id);
	bind_uuid(statement, 5, report->has_event_id ? &report->event_id : NULL);
	bind_int(statement, 6, event_type);
	bind_text(statement, 7, report->subject);
	bind_int_or_null(statement, 8, state->subject_key, 0);
	bind_text(statement, 9, event->command_id);
	bind_int_or_null(statement, 10, state->command_key, 0);
	bind_text(statement, 11, event->request_id);
	bind_text(statement, 12, event->client_id);
	bind_int(statement, 13, event->step == ANALYTIC_RECEIVE);
	bind_state(statement, 14, 17, state);
	return put(history, WRITE_DELIVERY_PUT,
		   place_of_delivery(event->timestamp_ms, &report->delivery_id), &state->place);
}

static int update(struct history *history, const struct state *state) {
	sqlite3_stmt *statement = history_statement(history, WRITE_DELIVERY_UPDATE);

	bind_int(statement, 1, state->place);
	bind_state(statement, 2, 5, state);
	return history_run(history, WRITE_DELIVERY_UPDATE);
}

/* Returns 1 where it is there, else 0. */
static int find(struct history *history, const struct uuid *id, struct state *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    history_statement(history, WRITE_DELIVERY_FIND);
	int r;

	bind_uuid(statement, 1, id);
	r = history_step(history, statement);
	if (r == 1) {
		out->place = sqlite3_column_int64(statement, 0);
		out->attempts = sqlite3_column_int(statement, 1);
		out->subject_key = sqlite3_column_int64(statement, 2);
		out->command_key = sqlite3_column_int64(statement, 3);
	}
	return r;
}

static int fold_delivery(struct history *history, const struct analytic_event *event,
			 int64_t tenant, struct state *state) {
	int found = find(history, &event->data.delivery.delivery_id, state);
	int r = found < 0 ? found : apply(history, event, state);

	if (r)
		return r;
	return found ? update(history, state) : insert(history, event, tenant, state);
}

/* What binds an event's row that belongs to no delivery. */
static void bind_own(sqlite3_stmt *statement, const struct analytic_event *event) {
	const struct event_data *data = &event->data;
	bool is_issued = data->kind == EVENT_DATA_CREDENTIAL_ISSUED,
	     is_published = data->kind == EVENT_DATA_PUBLISHED;
	const char *subject = is_issued ? data->credential_issued.credential_id : NULL;
	const struct uuid *webhook = data->kind == EVENT_DATA_WEBHOOK ? &data->webhook.id
				     : data->kind == EVENT_DATA_DELIVERY
					 ? &data->delivery.webhook_id
					 : NULL;

	sqlite3_bind_null(statement, 7);
	bind_int_or_null(statement, 8, key_of_uuid(webhook), 0);
	bind_int_or_null(statement, 9, key_of_text(event->tenant_id, event->command_id), 0);
	bind_int_or_null(statement, 10, key_of_text(event->tenant_id, subject), 0);
	bind_int_or_null(statement, 11, is_issued ? data->credential_issued.deliveries : -1, -1);
	for (int i = 12; i <= 15; i++)
		sqlite3_bind_null(statement, i);
	bind_text(statement, 16, event->command_id);
	bind_text(statement, 17, subject);
	bind_uuid(statement, 18, is_published ? &data->published.event_id : NULL);
}

static void bind_step(sqlite3_stmt *statement, const struct analytic_event *event,
		      const struct state *state) {
	const struct delivery_report *report = &event->data.delivery;

	bind_int(statement, 7, state->place);
	bind_int(statement, 8, key_of_uuid(&report->webhook_id));
	bind_int_or_null(statement, 9, state->command_key, 0);
	bind_int_or_null(statement, 10, state->subject_key, 0);
	bind_int(statement, 11, report->attempt);
	bind_int_or_null(statement, 12, state->last_reason, 0);
	bind_int_or_null(statement, 13, report->duration_ms, -1);
	bind_int_or_null(statement, 14, report->attempted_at_ms, 0);
	bind_int_or_null(statement, 15, report->next_attempt_at_ms, 0);
	for (int i = 16; i <= 18; i++)
		sqlite3_bind_null(statement, i);
}

/* `state`: of its delivery; NULL: it belongs to none. */
static int put_event(struct history *history, const struct analytic_event *event, int64_t tenant,
		     const struct state *state, int64_t place) {
	sqlite3_stmt *statement = history_statement(history, WRITE_EVENT_PUT);
	int64_t type = 0;
	int r = names_word(history, analytic_event_type(event->subject, event->step), &type);

	if (r)
		return r;
	bind_uuid(statement, 2, &event->id);
	bind_int(statement, 3, tenant);
	bind_int(statement, 4, type);
	bind_int(statement, 5, event->repeat);
	bind_int_or_null(statement, 6, event->status, 0);
	if (state)
		bind_step(statement, event, state);
	else
		bind_own(statement, event);
	if (history->value.len)
		sqlite3_bind_blob(statement, 19, history->value.data, (int)history->value.len,
				  SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, 19);
	return put(history, WRITE_EVENT_PUT, place, &place);
}

static int fold(struct history *history, const struct analytic_event *event, int32_t partition,
		int64_t offset) {
	bool is_step = event_is_of_delivery(event);
	struct state state = { 0 };
	int64_t tenant = 0;
	int r;

	if (!event_row_encode(history->codec, event, &history->value))
		return 0;
	r = names_tenant(history, event->tenant_id, partition, &tenant);
	if (!r && is_step)
		r = fold_delivery(history, event, tenant, &state);
	return r ? r
		 : put_event(history, event, tenant, is_step ? &state : NULL,
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
		return fold(history, event, partition, offset);
	/* It would be the next to be deleted. */
	history->passed_ms = MAX(history->passed_ms, event->timestamp_ms + 1);
	return 0;
}
