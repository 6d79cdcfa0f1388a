#include "avro/json.h"

#include "avro/edition.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/utf8.h"

static void append_record(struct buffer *out, const struct record *record, const void *in);

static void append_uuid(struct buffer *out, const struct uuid *uuid) {
	char text[UUID_TEXT_SIZE];

	uuid_format(uuid, text);
	buffer_printf(out, "\"%s\"", text);
}

static void append_boolean(struct buffer *out, bool value) {
	buffer_append_string(out, value ? "true" : "false");
}

static void append_number_or_null(struct buffer *out, int64_t value, bool is_null) {
	if (is_null)
		buffer_append_string(out, "null");
	else
		buffer_printf(out, "%lld", (long long)value);
}

static void append_time_or_null(struct buffer *out, int64_t wall_ms, bool is_null) {
	char text[CLOCK_ISO8601_SIZE];

	if (is_null) {
		buffer_append_string(out, "null");
		return;
	}
	clock_format_iso8601(wall_ms, text);
	buffer_printf(out, "\"%s\"", text);
}

static void append_bytes(struct buffer *out, const void *bytes, size_t len) {
	buffer_append_char(out, '"');
	buffer_append_base64url(out, bytes, len);
	buffer_append_char(out, '"');
}

/* What it is sealed with, which it begins with; the rest is shown to nobody. */
static void append_sealed(struct buffer *out, const uint8_t *sealed, size_t len) {
	char id[WEBHOOK_SEALED_KEY_ID_LEN + 1] = { 0 };

	if (len >= WEBHOOK_SEALED_KEY_ID_LEN && utf8_is_text((const char *)sealed, sizeof(id) - 1))
		memcpy(id, sealed, sizeof(id) - 1);
	buffer_append_json_string(out, id);
}

static void append_texts(struct buffer *out, const char *const *texts, size_t count) {
	buffer_append_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		buffer_append_string(out, i ? "," : "");
		buffer_append_json_string(out, texts[i]);
	}
	buffer_append_char(out, ']');
}

static void append_names(struct buffer *out, const struct field_names *names, const void *record,
			 size_t count) {
	buffer_append_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		buffer_append_string(out, i ? "," : "");
		buffer_append_json_string(out, names->get(record, i));
	}
	buffer_append_char(out, ']');
}

static void append_array(struct buffer *out, const struct field_array *array, const char *items,
			 size_t count) {
	buffer_append_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		buffer_append_string(out, i ? "," : "");
		append_record(out, array->items, items + i * array->item_size);
	}
	buffer_append_char(out, ']');
}

static void append_union(struct buffer *out, const struct field_union *branches, int selected,
			 const void *in) {
	const struct branch *branch = field_union_branch(branches, selected);

	if (branch->record)
		append_record(out, branch->record, branch->size ? *(const void *const *)in : in);
	else
		buffer_append_string(out, "null");
}

/* The value of a type at a pointer into the struct. */
#define AS(type, p) (*(type const *)(p))

static void append_value(struct buffer *out, const struct field *field, const char *in) {
	const void *value = in + field->offset, *second = in + field->second;

	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_TEXT_OR_NULL:
	case FIELD_TEXT_SIZED:
		return buffer_append_json_string_or_null(out, AS(char *, value));
	case FIELD_TEXTS:
		return append_texts(out, AS(const char *const *, value), AS(size_t, second));
	case FIELD_UUID:
		return append_uuid(out, value);
	case FIELD_UUID_FLAGGED:
		return append_uuid(out, value);
	case FIELD_BOOLEAN:
		return append_boolean(out, AS(bool, value));
	case FIELD_INT:
		return append_number_or_null(out, AS(int32_t, value), false);
	case FIELD_INT_OR_NULL:
		return append_number_or_null(out, AS(int32_t, value), !AS(int32_t, value));
	case FIELD_INT_FLAGGED:
		return append_number_or_null(out, AS(int32_t, value), !AS(bool, second));
	case FIELD_LONG:
		return append_number_or_null(out, AS(int64_t, value), false);
	case FIELD_LONG_OR_NULL:
		return append_number_or_null(out, AS(int64_t, value), AS(int64_t, value) == -1);
	case FIELD_TIME:
		return append_time_or_null(out, AS(int64_t, value), false);
	case FIELD_TIME_OR_NULL:
		return append_time_or_null(out, AS(int64_t, value), !AS(int64_t, value));
	case FIELD_TIME_FLAGGED:
		return append_time_or_null(out, AS(int64_t, value), !AS(bool, second));
	case FIELD_FIXED:
		return append_bytes(out, value, field->second);
	case FIELD_BYTES:
		return append_sealed(out, AS(uint8_t *, value), AS(size_t, second));
	case FIELD_VERSION:
		return append_number_or_null(out, 1, false);
	case FIELD_NAME:
		return buffer_append_json_string(out, field->as_name->get(in));
	case FIELD_NAMES:
		return append_names(out, field->as_names, in, AS(size_t, second));
	case FIELD_ARRAY:
		return append_array(out, field->as_array, AS(void *, value), AS(size_t, second));
	case FIELD_RECORD_OR_NULL:
		return append_record(out, field->as_array->items, AS(void *, value));
	case FIELD_UNION:
		return append_union(out, field->as_union, AS(int, value), second);
	}
	impossible("a field has a kind");
}

/* A member that came with a later edition is shown where it was given: who knows the first edition
 * sees the members that it knows. */
static bool is_shown(const struct field *field, const void *in) {
	return !field->edition || !edition_is_default(field, in);
}

static void append_record(struct buffer *out, const struct record *record, const void *in) {
	bool is_first = true;

	buffer_append_char(out, '{');
	for (size_t i = 0; i < record->field_count; i++) {
		if (!is_shown(&record->fields[i], in))
			continue;
		buffer_printf(out, "%s\"%s\":", is_first ? "" : ",", record->fields[i].name);
		append_value(out, &record->fields[i], in);
		is_first = false;
	}
	buffer_append_char(out, '}');
}

/* Appends the record with a member `type` that names it. */
static void append_typed(struct buffer *out, const struct record *record, const void *in) {
	buffer_printf(out, "{\"type\":\"%s\"", record->name);
	for (size_t i = 0; i < record->field_count; i++) {
		if (!is_shown(&record->fields[i], in))
			continue;
		buffer_printf(out, ",\"%s\":", field_json_name(&record->fields[i], true));
		append_value(out, &record->fields[i], in);
	}
	buffer_append_char(out, '}');
}

void json_append_event(struct buffer *out, const struct analytic_event *event) {
	append_record(out, &analytic_event_record, event);
}

static void append_typed_union(struct buffer *out, const struct field *field, const char *in) {
	const struct branch *branch =
	    field_union_branch(field->as_union, AS(int, in + field->offset));
	const void *value = in + field->second;

	if (branch->record)
		append_typed(out, branch->record, branch->size ? AS(void *, value) : value);
	else
		buffer_append_string(out, "null");
}

void json_append_event_record(struct buffer *out, const struct analytic_event *event) {
	const struct record *record = &analytic_event_record;

	for (size_t i = 0; i < record->field_count; i++) {
		const struct field *field = &record->fields[i];

		if (!is_shown(field, event))
			continue;
		buffer_printf(out, "%c\"%s\":", i ? ',' : '{', field->name);
		if (field->kind == FIELD_UNION)
			append_typed_union(out, field, (const char *)event);
		else
			append_value(out, field, (const char *)event);
	}
	buffer_append_char(out, '}');
}

void json_append_state(struct buffer *out, const struct state_record *record) {
	append_typed(out, state_union.branches[record->kind].record, &record->webhook);
}

/* The members of the API's webhook that are shown where they were given. */
static void append_given(struct buffer *out, const struct webhook *webhook) {
	const struct record *record = event_data_union.branches[EVENT_DATA_WEBHOOK].record;

	for (size_t i = 0; i < record->field_count; i++) {
		const struct field *field = &record->fields[i];

		if (!field->edition || edition_is_default(field, webhook))
			continue;
		buffer_printf(out, ",\"%s\":", field->name);
		append_value(out, field, (const char *)webhook);
	}
}

static void append_api_webhook(struct buffer *out, const struct webhook *webhook) {
	buffer_append_string(out, "{\"id\":");
	append_uuid(out, &webhook->id);
	buffer_append_string(out, ",\"events\":");
	append_texts(out, webhook->events, webhook->event_count);
	buffer_append_string(out, ",\"url\":");
	buffer_append_json_string(out, webhook->url);
	buffer_append_string(out, ",\"disabled\":");
	append_boolean(out, webhook->disabled);
	append_given(out, webhook);
	buffer_append_char(out, '}');
}

static void append_api_page(struct buffer *out, const struct webhook_page *page) {
	buffer_append_string(out, "{\"data\":[");
	for (size_t i = 0; i < page->count; i++) {
		buffer_append_string(out, i ? "," : "");
		append_api_webhook(out, &page->items[i]);
	}
	buffer_append_char(out, ']');
	if (page->next_cursor) {
		buffer_append_string(out, ",\"nextCursor\":");
		buffer_append_json_string(out, page->next_cursor);
	}
	buffer_append_char(out, '}');
}

static void append_api_published(struct buffer *out, const struct event_published *published) {
	buffer_append_string(out, "{\"id\":");
	append_uuid(out, &published->event_id);
	buffer_printf(out, ",\"deliveries\":%d}", published->deliveries);
}

/* The answer to RetrieveSecret has the secret alone, that to RotateSecret the rest. */
static void append_api_secret(struct buffer *out, const struct webhook_secret *secret) {
	if (secret->secret) {
		buffer_append_string(out, "{\"secret\":");
		buffer_append_json_string(out, secret->secret);
	} else {
		buffer_printf(out, "{\"epoch\":%d,\"overlapUntil\":", secret->epoch);
		append_time_or_null(out, secret->overlap_until_ms, !secret->overlap_until_ms);
	}
	buffer_append_char(out, '}');
}

void json_append_api_data(struct buffer *out, const struct event_data *data) {
	if (data->kind == EVENT_DATA_WEBHOOK)
		append_api_webhook(out, &data->webhook);
	else if (data->kind == EVENT_DATA_WEBHOOK_PAGE)
		append_api_page(out, &data->page);
	else if (data->kind == EVENT_DATA_PUBLISHED)
		append_api_published(out, &data->published);
	else if (data->kind == EVENT_DATA_SECRET)
		append_api_secret(out, &data->secret);
	else
		append_union(out, &event_data_union, (int)data->kind, &data->webhook);
}
