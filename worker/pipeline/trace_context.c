#include "pipeline/trace_context.h"

#include "trace/span.h"

enum { TRACESTATE_MAX = 512 };

static const char *read_traceparent(struct arena *arena, const rd_kafka_headers_t *headers) {
	const void *value;
	size_t len;

	if (rd_kafka_header_get_last(headers, "traceparent", &value, &len) ||
	    !traceparent_is_valid(value, len))
		return NULL;
	return arena_strndup(arena, value, len);
}

/* A blank may be a tab. Source: RFC 9110 section 5.6.3. */
static bool is_visible(const char *text, size_t len) {
	for (size_t i = 0; i < len; i++)
		if ((text[i] < ' ' && text[i] != '\t') || text[i] > '~')
			return false;
	return true;
}

/* One list in all headers of the name, in their order, of 512 characters at most. Source: W3C Trace
 * Context level 1, section 3.3. */
static const char *read_tracestate(struct arena *arena, const rd_kafka_headers_t *headers) {
	char list[TRACESTATE_MAX];
	const void *value;
	size_t len = 0, part;

	for (size_t i = 0; !rd_kafka_header_get(headers, i, "tracestate", &value, &part); i++) {
		if (part == 0)
			continue;
		if (part > TRACESTATE_MAX || len + (len > 0) + part > TRACESTATE_MAX)
			return NULL;
		if (len > 0)
			list[len++] = ',';
		memcpy(list + len, value, part);
		len += part;
	}
	return len > 0 && is_visible(list, len) ? arena_strndup(arena, list, len) : NULL;
}

/* No tracestate counts without a traceparent. */
struct trace_context trace_context_read(struct arena *arena, const rd_kafka_message_t *message) {
	struct trace_context context = { 0 };
	rd_kafka_headers_t *headers;

	if (rd_kafka_message_headers(message, &headers))
		return context;
	context.traceparent = read_traceparent(arena, headers);
	if (context.traceparent)
		context.tracestate = read_tracestate(arena, headers);
	return context;
}
