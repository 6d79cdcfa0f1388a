#include "changelog/delivery_json.h"

#include "base/clock.h"

static void append_time(struct buffer *out, const char *name, bool is_null, int64_t wall_ms) {
	char text[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(wall_ms, text);
	buffer_printf(out, is_null ? ",\"%s\":null" : ",\"%s\":\"%s\"", name, text);
}

void delivery_json_append(struct buffer *out, const struct delivery *delivery, bool with_body) {
	bool dead = delivery->status == DELIVERY_DEAD;
	char id[UUID_TEXT_SIZE], webhook[UUID_TEXT_SIZE];

	uuid_format(&delivery->id, id);
	uuid_format(&delivery->webhook_id, webhook);
	buffer_printf(out, "{\"id\":\"%s\",\"webhookId\":\"%s\",\"eventType\":", id, webhook);
	buffer_append_json_string(out, delivery->event_type);
	buffer_printf(out, ",\"status\":\"%s\",\"attempts\":%d",
		      delivery_status_name(delivery->status), delivery->attempts);
	if (delivery->last_status)
		buffer_printf(out, ",\"lastStatus\":%d,\"lastReason\":", delivery->last_status);
	else
		buffer_append_string(out, ",\"lastStatus\":null,\"lastReason\":");
	buffer_append_json_string_or_null(out, delivery->last_reason);
	append_time(out, "nextAttemptAt", delivery->status != DELIVERY_PENDING,
		    delivery->next_attempt_at_ms);
	append_time(out, "diedAt", !dead, delivery->next_attempt_at_ms);
	append_time(out, "createdAt", false, delivery->created_at_ms);
	if (with_body) {
		buffer_append_string(out, ",\"body\":");
		buffer_append_json_string(out, delivery->body);
	}
	buffer_append_char(out, '}');
}
