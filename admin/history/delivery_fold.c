#include "history/delivery_fold.h"

#include "history/event_row.h"
#include "history/internal.h"
#include "history/key.h"
#include "history/names.h"
#include "history/place.h"
#include "history/subjects.h"

static enum history_status status_after(const struct analytic_event *event) {
	switch (event->step) {
	case ANALYTIC_PROCESS_SUCCESS:
		return HISTORY_SUCCEEDED;
	case ANALYTIC_PROCESS_FAIL:
		return event_is_attempt(event) ? HISTORY_DEAD : HISTORY_WITHDRAWN;
	default:
		return HISTORY_PENDING;
	}
}

static int apply(struct history *history, const struct analytic_event *event,
		 struct delivery_state *state) {
	const struct delivery_report *report = &event->data.delivery;

	state->status = status_after(event);
	state->ended_at_ms = state->status == HISTORY_PENDING ? 0 : event->timestamp_ms;
	state->next_attempt_at_ms = report->next_attempt_at_ms;
	/* One whose recording is not here had attempts before. */
	state->attempts = MAX(state->attempts + event_is_attempt(event), report->attempt);
	state->last_status = report->status;
	return names_word(history, report->reason, &state->last_reason);
}

static void bind_state(sqlite3_stmt *statement, int status, int attempts,
		       const struct delivery_state *state) {
	bind_int(statement, status, state->status);
	bind_int_or_null(statement, status + 1, state->ended_at_ms, 0);
	bind_int_or_null(statement, status + 2, state->next_attempt_at_ms, 0);
	bind_int(statement, attempts, state->attempts);
	bind_int_or_null(statement, attempts + 1, state->last_status, 0);
	bind_int_or_null(statement, attempts + 2, state->last_reason, 0);
}

static int insert(struct history *history, const struct analytic_event *event, int64_t tenant,
		  struct delivery_state *state) {
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
	r = history_put(history, WRITE_DELIVERY_PUT,
			place_of_delivery(event->timestamp_ms, &report->delivery_id),
			&state->place);
	return r ? r : subjects_tell(history, event, state->command_key, state->subject_key);
}

/* The events so far are of its subject and command too. */
static int fill_events(struct history *history, const struct delivery_state *state) {
	sqlite3_stmt *statement = history_statement(history, WRITE_DELIVERY_EVENTS_FILL);

	bind_int(statement, 1, state->place);
	bind_int_or_null(statement, 2, state->subject_key, 0);
	bind_int_or_null(statement, 3, state->command_key, 0);
	return history_run(history, WRITE_DELIVERY_EVENTS_FILL);
}

/* An older worker does not tell all of a delivery (rule R13), and a newer one goes on with it. */
static int fill(struct history *history, const struct analytic_event *event,
		struct delivery_state *state) {
	const struct delivery_report *report = &event->data.delivery;
	sqlite3_stmt *statement = history_statement(history, WRITE_DELIVERY_FILL);
	int r;

	if ((state->has_event_id || !report->has_event_id) &&
	    (state->subject_key || !report->subject) && (state->command_key || !event->command_id))
		return 0;
	if (!state->subject_key)
		state->subject_key = key_of_text(event->tenant_id, report->subject);
	if (!state->command_key)
		state->command_key = key_of_text(event->tenant_id, event->command_id);
	bind_int(statement, 1, state->place);
	bind_uuid(statement, 2, report->has_event_id ? &report->event_id : NULL);
	bind_text(statement, 3, report->subject);
	bind_int_or_null(statement, 4, state->subject_key, 0);
	bind_text(statement, 5, event->command_id);
	bind_int_or_null(statement, 6, state->command_key, 0);
	r = history_run(history, WRITE_DELIVERY_FILL);
	if (!r)
		r = fill_events(history, state);
	return r ? r : subjects_tell(history, event, state->command_key, state->subject_key);
}

static int update(struct history *history, const struct analytic_event *event,
		  struct delivery_state *state) {
	sqlite3_stmt *statement = history_statement(history, WRITE_DELIVERY_UPDATE);
	int r = fill(history, event, state);

	if (r)
		return r;
	bind_int(statement, 1, state->place);
	bind_state(statement, 2, 5, state);
	return history_run(history, WRITE_DELIVERY_UPDATE);
}

/* Returns 1 where it is there, else 0. */
static int find(struct history *history, const struct uuid *id, struct delivery_state *out) {
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
		out->has_event_id = sqlite3_column_int(statement, 4);
	}
	return r;
}

int delivery_fold(struct history *history, const struct analytic_event *event, int64_t tenant,
		  struct delivery_state *out) {
	int found, r;

	*out = (struct delivery_state){ 0 };
	found = find(history, &event->data.delivery.delivery_id, out);
	r = found < 0 ? found : apply(history, event, out);
	if (r)
		return r;
	return found ? update(history, event, out) : insert(history, event, tenant, out);
}
