#include "history/event_row.h"

#include "base/log.h"
#include "history/place.h"

bool event_is_of_delivery(const struct analytic_event *event) {
	return event->subject == ANALYTIC_WEBHOOK_EVENT && event->data.kind == EVENT_DATA_DELIVERY;
}

bool event_is_attempt(const struct analytic_event *event) {
	return event_is_of_delivery(event) && event->data.delivery.duration_ms >= 0;
}

bool event_is_failed_attempt(const struct analytic_event *event) {
	return event_is_attempt(event) && event->step != ANALYTIC_PROCESS_SUCCESS;
}

static bool is_told_by_columns(const struct analytic_event *event) {
	if (event_is_of_delivery(event))
		return !event->data.delivery.response;
	return !event->request_id && !event->client_id &&
	       (event->data.kind == EVENT_DATA_NONE ||
		event->data.kind == EVENT_DATA_CREDENTIAL_ISSUED);
}

static struct analytic_event without_ids(const struct analytic_event *event) {
	struct analytic_event kept = *event;

	kept.tenant_id = "";
	kept.command_id = NULL;
	if (!event_is_of_delivery(event))
		return kept;
	kept.request_id = kept.client_id = NULL;
	kept.data.delivery.event_type = "";
	kept.data.delivery.has_event_id = false;
	kept.data.delivery.subject = NULL;
	return kept;
}

/* Returns whether it fits. */
static bool encode(struct codec *codec, const struct analytic_event *event, struct buffer *out) {
	buffer_clear(out);
	codec_encode_event(codec, event, out);
	return !out->overflowed;
}

bool event_row_encode(struct codec *codec, const struct analytic_event *event, struct buffer *out) {
	struct analytic_event kept = without_ids(event);
	struct attempt_response response;

	buffer_clear(out);
	if (is_told_by_columns(event) || encode(codec, &kept, out))
		return true;
	if (event_is_of_delivery(event)) {
		response = *kept.data.delivery.response;
		response.body = NULL;
		kept.data.delivery.response = &response;
		if (encode(codec, &kept, out))
			return true;
	}
	kept.data = (struct event_data){ .kind = EVENT_DATA_NONE };
	return encode(codec, &kept, out);
}

static bool is_null(sqlite3_stmt *statement, int column) {
	return sqlite3_column_type(statement, column) == SQLITE_NULL;
}

bool event_row_read(sqlite3_stmt *statement, struct event_row *out) {
	*out = (struct event_row){
		.place = sqlite3_column_int64(statement, EVENT_PLACE),
		.id = column_uuid(statement, EVENT_ID),
		.type = column_text(statement, EVENT_TYPE),
		.is_repeat = sqlite3_column_int(statement, EVENT_IS_REPEAT),
		.status = sqlite3_column_int(statement, EVENT_STATUS),
		.command_id = column_text(statement, EVENT_COMMAND_ID),
		.subject = column_text(statement, EVENT_SUBJECT),
		.webhook = sqlite3_column_int64(statement, EVENT_WEBHOOK),
		.subject_key = sqlite3_column_int64(statement, EVENT_SUBJECT_KEY),
		.has_number = !is_null(statement, EVENT_NUMBER),
		.number = sqlite3_column_int(statement, EVENT_NUMBER),
		.reason = column_text(statement, EVENT_REASON),
		.duration_ms = is_null(statement, EVENT_DURATION)
				   ? -1
				   : sqlite3_column_int64(statement, EVENT_DURATION),
		.attempted_at_ms = sqlite3_column_int64(statement, EVENT_ATTEMPTED_AT),
		.next_attempt_at_ms = sqlite3_column_int64(statement, EVENT_NEXT_ATTEMPT_AT),
		.value = sqlite3_column_blob(statement, EVENT_VALUE),
		.len = (size_t)sqlite3_column_bytes(statement, EVENT_VALUE),
	};
	return out->id && out->type;
}

static struct delivery_report report_of(const struct event_row *row,
					const struct delivery_row *delivery,
					const struct attempt_response *response) {
	struct delivery_report report = {
		.delivery_id = *delivery->id,
		.webhook_id = *delivery->webhook_id,
		.event_type = delivery->event_type,
		.attempt = row->number,
		.status = row->status,
		.reason = row->reason,
		.duration_ms = row->duration_ms,
		.next_attempt_at_ms = row->next_attempt_at_ms,
		.has_event_id = delivery->event_id,
		.subject = delivery->subject,
		.attempted_at_ms = row->attempted_at_ms,
		.response = response,
	};

	if (delivery->event_id)
		report.event_id = *delivery->event_id;
	return report;
}

/* What the value has: all of it, of an event without one the envelope alone. */
static int decode_value(struct codec *codec, struct arena *arena, const struct event_row *row,
			struct analytic_event *out) {
	const char *why;

	*out = (struct analytic_event){ 0 };
	if (row->value)
		return codec_decode_event(codec, arena, row->value, row->len, out, &why);
	return analytic_event_type_parse(row->type, &out->subject, &out->step) ? CODEC_E_REFUSED
									       : 0;
}

static bool fail(const struct event_row *row) {
	log_warn("a row of the history cannot be read", "place=%lld", (long long)row->place);
	return false;
}

bool event_row_decode(const struct reading *reading, struct arena *arena,
		      const struct event_row *row, const struct delivery_row *delivery,
		      struct analytic_event *out) {
	if (decode_value(reading->history->codec, arena, row, out))
		return fail(row);
	out->tenant_id = reading->tenant_id;
	out->id = *row->id;
	out->timestamp_ms = place_time_ms(row->place);
	out->command_id = row->command_id;
	out->repeat = row->is_repeat;
	out->status = row->status;
	if (delivery) {
		const struct attempt_response *response =
		    out->data.kind == EVENT_DATA_DELIVERY ? out->data.delivery.response : NULL;

		out->command_id = delivery->command_id;
		out->request_id = delivery->request_id;
		out->client_id = delivery->client_id;
		out->data = (struct event_data){ .kind = EVENT_DATA_DELIVERY };
		out->data.delivery = report_of(row, delivery, response);
	} else if (row->has_number) {
		out->data =
		    (struct event_data){ EVENT_DATA_CREDENTIAL_ISSUED,
					 .credential_issued = { row->subject, row->number } };
	}
	return true;
}
