/* The trace that a record belongs to, as its headers say. Source: W3C Trace Context level 1. */
#pragma once

#include "base/arena.h"

#include <librdkafka/rdkafka.h>

struct trace_context {
	const char *traceparent; /* NULL: none, or not one of version 00 */
	const char *tracestate;  /* NULL: none, or none that can be passed on */
};

/* The texts live in the arena. */
struct trace_context trace_context_read(struct arena *arena, const rd_kafka_message_t *message);
