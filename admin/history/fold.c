/* What an event changes. */
#include "history/duration_bucket.h"
#include "history/event_value.h"
#include "history/internal.h"
#include "history/place.h"
#include "history/statistics.h"

#include <errno.h>

/* A tenant's or a word's number, which it gets with its first use. */
static int number_of(struct history *history, sqlite3_stmt *statement, const char *text,
		     int32_t partition, int64_t *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *read = statement;
	int r;

	bind_text(read, 1, text);
	if (partition >= 0)
		bind_int(read, 2, partition);
	r = history_step(history, read);
	if (r == 1)
		*out = sqlite3_column_int64(read, 0);
	return r;
}

static int tenant_number(struct history *history, const char *tenant, int32_t partition,
			 int64_t *out) {
	int r = number_of(history, history_statement(history, WRITE_TENANT_GET), tenant, partition,
			  out);

	if (!r)
		r = number_of(history, history_statement(history, WRITE_TENANT_PUT), tenant,
			      partition, out);
	return MIN(r, 0);
}

/* 0 for NULL. */
static int word_number(struct history *history, const char *word, int64_t *out) {
	int r;

	*out = 0;
	if (!word)
		return 0;
	r = number_of(history, history_statement(history, WRITE_WORD_GET), word, -1, out);
	if (!r)
		r = number_of(history, history_statement(history, WRITE_WORD_PUT), word, -1, out);
	return MIN(r, 0);
}

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
	enum history_status status;
	int64_t ended_at_ms, next_attempt_at_ms;
	int32_t attempts;
	int32_t last_status;
	int64_t last_reason;
	bool has_event_id, has_subject, has_command_id; /* of the row, before */
};

static bool is_attempt(const struct analytic_event *event) {
	return event->subject == ANALYTIC_WEBHOOK_EVENT &&
	       event->data.kind == EVENT_DATA_DELIVERY && event->data.delivery.duration_ms >= 0;
}

static bool is_failed_attempt(const struct analytic_event *event) {
	return is_attempt(event) && event->step != ANALYTIC_PROCESS_SUCCESS;
}

static enum history_status status_after(const struct analytic_event *event) {
	switch (event->step) {
	case ANALYTIC_PROCESS_SUCCESS:
		return HISTORY_SUCCEEDED;
	case ANALYTIC_PROCESS_FAIL:
		return is_attempt(event) ? HISTORY_DEAD : HISTORY_WITHDRAWN;
	default:
		return HISTORY_PENDING;
	}
}

static int apply(struct history *history, const struct analytic_event *event, struct state *state) {
	const struct delivery_report *report = &event->data.delivery;

	state->status = status_after(event);
	state->ended_at_ms = state->status == HISTORY_PENDING ? 0 : event->timestamp_ms;
	state->next_attempt_at_ms = report->next_attempt_at_ms;
	/* One whose recording is not here had attempts before. */
	state->attempts = MAX(state->attempts + is_attempt(event), report->attempt);
	state->last_status = report->status;
	return word_number(history, report->reason, &state->last_reason);
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
	int r = word_number(history, report->event_type, &event_type);

	if (r)
		return r;
	bind_uuid(statement, 2, &report->delivery_id);
	bind_int(statement, 3, tenant);
	bind_uuid(statement, 4, &report->webhook_id);
	bind_uuid(statement, 5, report->has_event_id ? &report->event_id : NULL);
	bind_int(statement, 6, event_type);
	bind_text(statement, 7, report->subject);
	bind_text(statement, 8, event->command_id);
	bind_text(statement, 9, event->request_id);
	bind_text(statement, 10, event->client_id);
	bind_int(statement, 11, event->step == ANALYTIC_RECEIVE);
	bind_state(statement, 12, 15, state);
	return put(history, WRITE_DELIVERY_PUT,
		   place_of_delivery(event->timestamp_ms, &report->delivery_id), &state->place);
}

/* An older worker does not tell all of a delivery (rule R13), and a newer one goes on with it. */
static int fill(struct history *history, const struct analytic_event *event,
		const struct state *state) {
	const struct delivery_report *report = &event->data.delivery;
	sqlite3_stmt *statement = history_statement(history, WRITE_DELIVERY_FILL);

	if ((state->has_event_id || !report->has_event_id) &&
	    (state->has_subject || !report->subject) &&
	    (state->has_command_id || !event->command_id))
		return 0;
	bind_int(statement, 1, state->place);
	bind_uuid(statement, 2, report->has_event_id ? &report->event_id : NULL);
	bind_text(statement, 3, report->subject);
	bind_text(statement, 4, event->command_id);
	return history_run(history, WRITE_DELIVERY_FILL);
}

static int update(struct history *history, const struct analytic_event *event,
		  const struct state *state) {
	sqlite3_stmt *statement = history_statement(history, WRITE_DELIVERY_UPDATE);
	int r = fill(history, event, state);

	if (r)
		return r;
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
		out->has_event_id = sqlite3_column_int(statement, 2);
		out->has_subject = sqlite3_column_int(statement, 3);
		out->has_command_id = sqlite3_column_int(statement, 4);
	}
	return r;
}

static int fold_delivery(struct history *history, const struct analytic_event *event,
			 int64_t tenant, int64_t *place) {
	struct state state = { 0 };
	int found = find(history, &event->data.delivery.delivery_id, &state);
	int r = found < 0 ? found : apply(history, event, &state);

	if (!r)
		r = found ? update(history, event, &state) : insert(history, event, tenant, &state);
	*place = state.place;
	return r;
}

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

/* `delivery`: its place; -1: the event is no delivery's. */
static int put_event(struct history *history, const struct analytic_event *event,
		     const struct buffer *value, int64_t tenant, int64_t delivery, int64_t place) {
	sqlite3_stmt *statement = history_statement(history, WRITE_EVENT_PUT);
	bool is_own = delivery < 0;
	int64_t type = 0;
	int r = word_number(history, analytic_event_type(event->subject, event->step), &type);

	if (r)
		return r;
	bind_int(statement, 2, tenant);
	bind_int(statement, 3, type);
	bind_int_or_null(statement, 4, event->status, 0);
	bind_int_or_null(statement, 5, delivery, -1);
	bind_text(statement, 6, is_own ? event->command_id : NULL);
	bind_text(statement, 7, is_own ? subject_of(event) : NULL);
	bind_uuid(statement, 8, is_own || is_failed_attempt(event) ? webhook_of(event) : NULL);
	sqlite3_bind_blob(statement, 9, value->data, (int)value->len, SQLITE_STATIC);
	return put(history, WRITE_EVENT_PUT, place, &place);
}

/* Those that no statistics tell of any more are passed over: a topic's past is read faster. */
static int count_attempt(struct history *history, const struct analytic_event *event,
			 int64_t tenant, int64_t now_ms) {
	sqlite3_stmt *statement = history_statement(history, WRITE_ATTEMPT);

	if (!is_attempt(event) ||
	    event->timestamp_ms / STATISTICS_HOUR_MS < statistics_first_hour(now_ms))
		return 0;
	bind_int(statement, 1, event->timestamp_ms / STATISTICS_HOUR_MS);
	bind_int(statement, 2, tenant);
	bind_uuid(statement, 3, &event->data.delivery.webhook_id);
	bind_int(statement, 4, duration_bucket(event->data.delivery.duration_ms));
	bind_int(statement, 5, !is_failed_attempt(event));
	bind_int(statement, 6, is_failed_attempt(event));
	return history_run(history, WRITE_ATTEMPT);
}

static int fold(struct history *history, const struct analytic_event *event, int32_t partition,
		int64_t offset, int64_t now_ms) {
	int64_t tenant = 0, delivery = -1;
	int r;

	if (!event_value_encode(history->codec, event, &history->value))
		return 0;
	r = tenant_number(history, event->tenant_id, partition, &tenant);
	if (!r && event->subject == ANALYTIC_WEBHOOK_EVENT &&
	    event->data.kind == EVENT_DATA_DELIVERY)
		r = fold_delivery(history, event, tenant, &delivery);
	if (!r)
		r = count_attempt(history, event, tenant, now_ms);
	return r ? r
		 : put_event(history, event, &history->value, tenant, delivery,
			     place_of_event(event->timestamp_ms, partition, offset));
}

/* The first event behind a gap is the first one from which nothing is missing. */
static int note_source(struct history *history, int32_t partition, int64_t offset,
		       int64_t timestamp_ms) {
	struct history_gap *gap = partition < history->gap_count ? &history->gaps[partition] : NULL;
	bool ends_gap = gap && gap->is_open;

	if (ends_gap)
		gap->is_open = false;
	return history_put_source(history, partition, offset + 1, ends_gap ? timestamp_ms : 0);
}

/* It would be the next to be deleted. */
static int pass_over(struct history *history, const struct analytic_event *event) {
	bind_int(history_statement(history, WRITE_PRUNED), 1, event->timestamp_ms + 1);
	return history_run(history, WRITE_PRUNED);
}

int history_fold(struct history *history, const struct analytic_event *event, int32_t partition,
		 int64_t offset, int64_t now_ms) {
	int r = history_begin(history);

	if (!r)
		r = event->timestamp_ms >= now_ms - history->retention_ms
			? fold(history, event, partition, offset, now_ms)
			: pass_over(history, event);
	if (!r)
		r = note_source(history, partition, offset, event->timestamp_ms);
	history->folded++;
	return r;
}
