#include "trace/span.h"

#include "base/invariant.h"

#include <inttypes.h>
#include <sodium.h>

/* The status of a span whose operation failed. Source: OTLP 1.9, trace.proto, Status. */
enum { STATUS_ERROR = 2 };

/* Traceparent. */

static bool is_hex(const char *text, size_t len) {
	for (size_t i = 0; i < len; i++)
		if ((text[i] < '0' || text[i] > '9') && (text[i] < 'a' || text[i] > 'f'))
			return false;
	return true;
}

/* All zeros is no id. */
static bool is_id(const char *text, size_t len) {
	static const char zeros[] = "00000000000000000000000000000000";

	return is_hex(text, len) && memcmp(text, zeros, len) != 0;
}

bool traceparent_is_valid(const char *text, size_t len) {
	return len == TRACEPARENT_LEN && memcmp(text, "00-", 3) == 0 &&
	       is_id(text + 3, TRACE_ID_LEN) && text[35] == '-' && is_id(text + 36, SPAN_ID_LEN) &&
	       text[52] == '-' && is_hex(text + 53, 2);
}

bool traceparent_is_sampled(const char *traceparent) {
	return traceparent && traceparent_is_valid(traceparent, strlen(traceparent)) &&
	       strchr("13579bdf", traceparent[54]);
}

struct span_ref traceparent_ref(const char *traceparent) {
	struct span_ref ref = { 0 };

	memcpy(ref.trace_id, traceparent + 3, TRACE_ID_LEN);
	memcpy(ref.id, traceparent + 36, SPAN_ID_LEN);
	return ref;
}

void traceparent_append(struct buffer *out, const struct span_ref *ref) {
	buffer_printf(out, "00-%s-%s-01", ref->trace_id, ref->id);
}

/* Ids. */

static void random_hex(char *out, size_t len) {
	uint8_t bytes[TRACE_ID_LEN / 2];

	randombytes_buf(bytes, len / 2);
	bytes[0] |= 1; /* all zeros is no id */
	sodium_bin2hex(out, len + 1, bytes, len / 2);
}

struct span_ref span_ref_random(void) {
	struct span_ref ref;

	random_hex(ref.trace_id, TRACE_ID_LEN);
	random_hex(ref.id, SPAN_ID_LEN);
	return ref;
}

struct span_ref span_ref_beside(const struct span_ref *other) {
	struct span_ref ref = *other;

	random_hex(ref.id, SPAN_ID_LEN);
	return ref;
}

struct span_ref span_ref_of_command(const char *traceparent, const char *tenant_id,
				    const char *command_id) {
	struct span_ref ref = traceparent_ref(traceparent);
	const char *const parts[] = { traceparent, tenant_id, command_id };
	crypto_generichash_blake2b_state state;
	uint8_t hash[crypto_generichash_blake2b_BYTES_MIN];

	crypto_generichash_blake2b_init(&state, NULL, 0, sizeof(hash));
	/* With its NUL, so that no two lists are the same bytes. */
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		crypto_generichash_blake2b_update(&state, (const uint8_t *)parts[i],
						  strlen(parts[i]) + 1);
	crypto_generichash_blake2b_final(&state, hash, sizeof(hash));
	hash[0] |= 1;
	sodium_bin2hex(ref.id, sizeof(ref.id), hash, SPAN_ID_LEN / 2);
	return ref;
}

/* Attributes. */

static void add_attribute(struct span *span, struct span_attribute attribute) {
	invariant(span->attribute_count < SPAN_ATTRIBUTES_MAX, "a span has few attributes");
	span->attributes[span->attribute_count++] = attribute;
}

void span_text(struct span *span, const char *key, const char *text) {
	if (text)
		add_attribute(span, (struct span_attribute){ .key = key, .text = text });
}

void span_number(struct span *span, const char *key, int64_t number) {
	add_attribute(span, (struct span_attribute){ .key = key, .number = number });
}

/* JSON. */

void span_attribute_append_json(struct buffer *out, const struct span_attribute *attribute) {
	buffer_append_string(out, "{\"key\":");
	buffer_append_json_string(out, attribute->key);
	buffer_append_string(out, ",\"value\":{");
	if (attribute->text) {
		buffer_append_string(out, "\"stringValue\":");
		buffer_append_json_string(out, attribute->text);
	} else {
		buffer_printf(out, "\"intValue\":\"%" PRId64 "\"", attribute->number);
	}
	buffer_append_string(out, "}}");
}

static void append_attributes(struct buffer *out, const struct span *span) {
	buffer_append_string(out, ",\"attributes\":[");
	for (size_t i = 0; i < span->attribute_count; i++) {
		buffer_append_string(out, i ? "," : "");
		span_attribute_append_json(out, &span->attributes[i]);
	}
	buffer_append_char(out, ']');
}

static void append_links(struct buffer *out, const struct span *span) {
	buffer_append_string(out, ",\"links\":[");
	for (size_t i = 0; i < span->link_count; i++)
		buffer_printf(out, "%s{\"traceId\":\"%s\",\"spanId\":\"%s\"}", i ? "," : "",
			      span->links[i].trace_id, span->links[i].id);
	buffer_append_char(out, ']');
}

void span_append_json(struct buffer *out, const struct span *span) {
	buffer_printf(out, "{\"traceId\":\"%s\",\"spanId\":\"%s\"", span->ref.trace_id,
		      span->ref.id);
	if (span->parent_id)
		buffer_printf(out, ",\"parentSpanId\":\"%s\"", span->parent_id);
	if (span->trace_state) {
		buffer_append_string(out, ",\"traceState\":");
		buffer_append_json_string(out, span->trace_state);
	}
	buffer_append_string(out, ",\"name\":");
	buffer_append_json_string(out, span->name);
	buffer_printf(out,
		      ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
		      "000\",\"endTimeUnixNano\":\"%" PRId64 "000\"",
		      (int)span->kind, span->started_us, span->ended_us);
	append_attributes(out, span);
	if (span->link_count)
		append_links(out, span);
	if (span->error) {
		buffer_printf(out, ",\"status\":{\"code\":%d,\"message\":", STATUS_ERROR);
		buffer_append_json_string(out, span->error);
		buffer_append_char(out, '}');
	}
	buffer_append_char(out, '}');
}
