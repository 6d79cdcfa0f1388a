#include "domain/callback_body.h"

#include "base/clock.h"
#include "domain/delivery_subject.h"
#include "domain/url.h"

#include <stdio.h>

/* Appends `"name":"value"`. A name that begins with a comma continues an object. */
static void append_text(struct buffer *out, const char *name, const char *value) {
	buffer_append_string(out, name);
	buffer_append_json_string_or_null(out, value);
}

static void append_uuid(struct buffer *out, const char *name, const struct uuid *uuid) {
	char text[UUID_TEXT_SIZE];

	uuid_format(uuid, text);
	append_text(out, name, text);
}

static void append_time(struct buffer *out, const char *name, int64_t wall_ms) {
	char text[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(wall_ms, text);
	append_text(out, name, text);
}

/* Appends unchanged JSON without the white space around it. Source: RFC 8259 section 2. */
static void append_verbatim(struct buffer *out, const char *name, const char *json) {
	static const char space[] = " \t\n\r";
	size_t len;

	json += strspn(json, space);
	len = strlen(json);
	while (len > 0 && strchr(space, json[len - 1]))
		len--;
	if (len == 0)
		return;
	buffer_append_string(out, name);
	buffer_append(out, json, len);
}

static void append_payload(struct buffer *out, const struct issuance *issuance, bool is_summary) {
	append_text(out, "{\"userId\":", issuance->user_id);
	append_text(out, ",\"credentialId\":", issuance->credential_id);
	append_text(out, ",\"credentialConfigurationId\":", issuance->credential_configuration_id);
	append_text(out, ",\"credentialProfile\":", issuance->credential_profile);
	append_text(out, ",\"format\":", issuance->format);
	append_time(out, ",\"issuedAt\":", issuance->envelope.timestamp_ms);
	if (issuance->credential_offer_id)
		append_text(out, ",\"credentialOfferId\":", issuance->credential_offer_id);
	if (issuance->session_id)
		append_text(out, ",\"sessionId\":", issuance->session_id);
	if (!is_summary && issuance->claims)
		append_verbatim(out, ",\"claims\":", issuance->claims);
	if (!is_summary)
		append_verbatim(out, ",\"credential\":", issuance->credential);
	buffer_append_char(out, '}');
}

static void append_head(struct buffer *out, const struct uuid *event_id, const char *type,
			int64_t timestamp_ms) {
	append_uuid(out, "{\"id\":", event_id);
	append_text(out, ",\"type\":", type);
	append_time(out, ",\"timestamp\":", timestamp_ms);
	buffer_append_string(out, ",\"payload\":");
}

void event_json_issued(struct buffer *out, const struct issuance *issuance,
		       enum event_type_builtin type, const struct uuid *event_id) {
	append_head(out, event_id, event_type_builtin_name(type), issuance->envelope.timestamp_ms);
	append_payload(out, issuance, type == BUILTIN_CREDENTIAL_ISSUED_SUMMARY);
	buffer_append_char(out, '}');
}

void event_json_own(struct buffer *out, const struct event_command *command,
		    const struct uuid *event_id) {
	append_uuid(out, "{\"id\":", event_id);
	append_text(out, ",\"type\":", command->event_type);
	if (command->subject && *command->subject)
		append_text(out, ",\"subject\":", command->subject);
	append_time(out, ",\"timestamp\":", command->envelope.timestamp_ms);
	append_verbatim(out, ",\"payload\":", command->payload);
	buffer_append_char(out, '}');
}

/* Of the url its origin alone: path and query may be secrets, and this goes to somebody else. */
static void append_webhook(struct buffer *out, struct arena *arena, const struct webhook *webhook) {
	append_uuid(out, "{\"webhookId\":", &webhook->id);
	append_text(out, ",\"endpoint\":", url_origin(arena, webhook->url));
}

static void append_delivery(struct buffer *out, struct arena *arena,
			    const struct delivery *delivery) {
	const char *subject = delivery_subject(arena, delivery);

	append_uuid(out, ",\"deliveryId\":", &delivery->id);
	append_uuid(out, ",\"eventId\":", &delivery->event_id);
	append_text(out, ",\"eventType\":", delivery->event_type);
	if (subject)
		append_text(out, ",\"subject\":", subject);
	append_text(out, ",\"commandId\":", delivery->command_id);
	append_time(out, ",\"createdAt\":", delivery->created_at_ms);
	buffer_printf(out, ",\"attemptCount\":%d", delivery->attempts);
}

static void append_notice(struct buffer *out, struct arena *arena, const struct notice *notice) {
	static const char *const at[EVENT_TYPE_BUILTIN_COUNT] = {
		[BUILTIN_WEBHOOK_RECOVERED] = ",\"recoveredAt\":",
		[BUILTIN_WEBHOOK_DISABLED] = ",\"disabledAt\":",
		[BUILTIN_DELIVERY_DEAD] = ",\"endedAt\":",
	};

	append_webhook(out, arena, notice->webhook);
	if (notice->delivery)
		append_delivery(out, arena, notice->delivery);
	if (notice->reason)
		append_text(out, ",\"reason\":", notice->reason);
	if (notice->failing_since_ms)
		append_time(out, ",\"failingSince\":", notice->failing_since_ms);
	if (at[notice->type])
		append_time(out, at[notice->type], notice->at_ms);
	if (notice->last_status)
		buffer_printf(out, ",\"lastStatus\":%d", notice->last_status);
	if (notice->last_reason)
		append_text(out, ",\"lastReason\":", notice->last_reason);
	buffer_append_char(out, '}');
}

void event_json_notice(struct buffer *out, struct arena *arena, const struct notice *notice,
		       const struct uuid *event_id) {
	append_uuid(out, "{\"id\":", event_id);
	append_text(out, ",\"type\":", event_type_builtin_name(notice->type));
	append_uuid(out, ",\"subject\":", &notice->webhook->id);
	append_time(out, ",\"timestamp\":", notice->at_ms);
	buffer_append_string(out, ",\"payload\":");
	append_notice(out, arena, notice);
	buffer_append_char(out, '}');
}

void event_json_test(struct buffer *out, const struct uuid *event_id, const struct uuid *webhook_id,
		     int64_t timestamp_ms) {
	append_head(out, event_id, EVENT_TYPE_WEBHOOK_TEST, timestamp_ms);
	append_uuid(out,
		    "{\"message\":\"This is a test of your webhook.\",\"webhookId\":", webhook_id);
	buffer_append_string(out, "}}");
}

void callback_body(struct arena *arena, const struct buffer *event_json,
		   struct delivery *delivery) {
	char delivery_id[UUID_TEXT_SIZE], webhook_id[UUID_TEXT_SIZE],
	    created_at[CLOCK_ISO8601_SIZE];
	size_t max = CALLBACK_HEAD_LEN + CLOCK_ISO8601_SIZE + event_json->len;
	char *body = arena_alloc(arena, max);
	int head_len;

	uuid_format(&delivery->id, delivery_id);
	uuid_format(&delivery->webhook_id, webhook_id);
	clock_format_iso8601(delivery->created_at_ms, created_at);
	head_len = snprintf(
	    body, max,
	    "{\"deliveryId\":\"%s\",\"deliveryTimestamp\":\"%s\",\"webhookId\":\"%s\",\"event\":",
	    delivery_id, created_at, webhook_id);
	memcpy(body + head_len, event_json->data, event_json->len);
	delivery->body_len = (size_t)head_len + event_json->len + 1;
	body[delivery->body_len - 1] = '}';
	body[delivery->body_len] = '\0';
	delivery->body = body;
}
