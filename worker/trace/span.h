/*
 * Spans of OpenTelemetry, and their form in OTLP's JSON. Ids are lower-case hex.
 * Source: OTLP 1.9 (JSON Protobuf encoding); W3C Trace Context level 1, section 3.2.
 */
#pragma once

#include "base/buffer.h"

enum { TRACE_ID_LEN = 32, SPAN_ID_LEN = 16, TRACEPARENT_LEN = 55, SPAN_ATTRIBUTES_MAX = 10 };

/* A span's place in its trace. */
struct span_ref {
	char trace_id[TRACE_ID_LEN + 1], id[SPAN_ID_LEN + 1];
};

enum span_kind { SPAN_INTERNAL = 1, SPAN_CLIENT = 3, SPAN_CONSUMER = 5 };

struct span_attribute {
	const char *key;
	const char *text; /* NULL: the number */
	int64_t number;
};

/* Borrows all texts. */
struct span {
	struct span_ref ref;
	const char *parent_id;   /* NULL: the trace begins with it */
	const char *trace_state; /* NULL: none */
	const char *name;
	enum span_kind kind;
	int64_t started_us, ended_us; /* wall */
	const char *error;            /* NULL: none */
	struct span_attribute attributes[SPAN_ATTRIBUTES_MAX];
	size_t attribute_count;
	const struct span_ref *links;
	size_t link_count;
};

/* Whether the text of `len` bytes is a traceparent of version 00. */
bool traceparent_is_valid(const char *text, size_t len);
/* The same, of a trace that is sampled. NULL is none. */
bool traceparent_is_sampled(const char *traceparent);
/* The place of the span that a traceparent names. */
struct span_ref traceparent_ref(const char *traceparent);
/* "00-TRACE-SPAN-01" */
void traceparent_append(struct buffer *out, const struct span_ref *ref);

/* A new span of a new trace; a new span of the same trace. */
struct span_ref span_ref_random(void);
struct span_ref span_ref_beside(const struct span_ref *other);
/* The span of a command, as whoever attempts its deliveries later names it too. */
struct span_ref span_ref_of_command(const char *traceparent, const char *tenant_id,
				    const char *command_id);

/* Aborts past SPAN_ATTRIBUTES_MAX. A `text` of NULL is left out. */
void span_text(struct span *span, const char *key, const char *text);
void span_number(struct span *span, const char *key, int64_t number);

void span_append_json(struct buffer *out, const struct span *span);
/* {"key":"...","value":{...}} */
void span_attribute_append_json(struct buffer *out, const struct span_attribute *attribute);
