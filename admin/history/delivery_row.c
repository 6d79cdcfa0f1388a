#include "history/delivery_row.h"

#include "base/clock.h"
#include "history/place.h"

static const char *const names[HISTORY_STATUS_COUNT] = {
	[HISTORY_PENDING] = "pending",
	[HISTORY_SUCCEEDED] = "succeeded",
	[HISTORY_DEAD] = "dead",
	[HISTORY_WITHDRAWN] = "withdrawn",
};

const char *history_status_name(enum history_status status) {
	return names[status];
}

bool delivery_row_read(sqlite3_stmt *statement, int first, struct delivery_row *out) {
	*out = (struct delivery_row){
		.place = sqlite3_column_int64(statement, first + DELIVERY_PLACE),
		.id = column_uuid(statement, first + DELIVERY_ID),
		.webhook_id = column_uuid(statement, first + DELIVERY_WEBHOOK_ID),
		.event_id = column_uuid(statement, first + DELIVERY_EVENT_ID),
		.event_type = column_text(statement, first + DELIVERY_EVENT_TYPE),
		.subject = column_text(statement, first + DELIVERY_SUBJECT),
		.command_id = column_text(statement, first + DELIVERY_COMMAND_ID),
		.request_id = column_text(statement, first + DELIVERY_REQUEST_ID),
		.client_id = column_text(statement, first + DELIVERY_CLIENT_ID),
		.is_whole = sqlite3_column_int(statement, first + DELIVERY_IS_WHOLE),
		.status =
		    (enum history_status)sqlite3_column_int(statement, first + DELIVERY_STATUS) %
		    HISTORY_STATUS_COUNT,
		.ended_at_ms = sqlite3_column_int64(statement, first + DELIVERY_ENDED_AT),
		.next_attempt_at_ms =
		    sqlite3_column_int64(statement, first + DELIVERY_NEXT_ATTEMPT_AT),
		.attempts = sqlite3_column_int(statement, first + DELIVERY_ATTEMPTS),
		.last_status = sqlite3_column_int(statement, first + DELIVERY_LAST_STATUS),
		.last_reason = column_text(statement, first + DELIVERY_LAST_REASON),
	};
	return out->id && out->webhook_id && out->event_type;
}

void delivery_row_append_time(struct buffer *out, const char *name, int64_t wall_ms) {
	char text[CLOCK_ISO8601_SIZE];

	if (!wall_ms)
		return;
	clock_format_iso8601(wall_ms, text);
	buffer_printf(out, ",\"%s\":\"%s\"", name, text);
}

void delivery_row_append_text(struct buffer *out, const char *name, const char *text) {
	if (!text)
		return;
	buffer_printf(out, ",\"%s\":", name);
	buffer_append_json_string(out, text);
}

void delivery_row_append_number(struct buffer *out, const char *name, int64_t number,
				int64_t none) {
	if (number != none)
		buffer_printf(out, ",\"%s\":%lld", name, (long long)number);
}

static void append_uuid(struct buffer *out, const char *name, const struct uuid *uuid) {
	char text[UUID_TEXT_SIZE];

	if (!uuid)
		return;
	uuid_format(uuid, text);
	delivery_row_append_text(out, name, text);
}

void delivery_row_append(struct buffer *out, const struct delivery_row *row) {
	char id[UUID_TEXT_SIZE];

	uuid_format(row->id, id);
	buffer_printf(out, "{\"id\":\"%s\"", id);
	append_uuid(out, "webhookId", row->webhook_id);
	append_uuid(out, "eventId", row->event_id);
	delivery_row_append_text(out, "eventType", row->event_type);
	delivery_row_append_text(out, "subject", row->subject);
	delivery_row_append_text(out, "commandId", row->command_id);
	delivery_row_append_text(out, "status", history_status_name(row->status));
	if (row->is_whole)
		delivery_row_append_time(out, "createdAt", place_time_ms(row->place));
	delivery_row_append_time(out, "endedAt", row->ended_at_ms);
	delivery_row_append_time(out, "nextAttemptAt", row->next_attempt_at_ms);
	delivery_row_append_number(out, "attemptCount", row->attempts, -1);
	delivery_row_append_number(out, "lastStatus", row->last_status, 0);
	delivery_row_append_text(out, "lastReason", row->last_reason);
}
