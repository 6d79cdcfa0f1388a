/*
 * The requests to a collector: OTLP over HTTP, as JSON. One thread's.
 * Source: OTLP 1.9, "OTLP/HTTP".
 */
#pragma once

#include "base/buffer.h"
#include "trace/settings.h"

enum { COLLECTOR_SPANS_MAX = 512, COLLECTOR_SPAN_BYTES_MAX = 64 * 1024 };

struct collector {
	struct trace_settings settings; /* owned */
	char *version;                  /* owned */
	bool (*gives_up)(void);         /* whether a request under way is to end */
	CURL *easy;
	struct buffer body, answer;
	int64_t warned_ms; /* monotonic; 0: never */
};

enum collector_end {
	COLLECTOR_TOOK,
	COLLECTOR_LATER,
	COLLECTOR_REFUSED,
};

struct collector_result {
	enum collector_end end;
	size_t rejected;  /* of those that it took: they are wrong in its eyes */
	int64_t pause_ms; /* before the next try, as it asks for; 0: it does not */
};

/* Takes the settings over, and leaves empty ones behind. */
void collector_init(struct collector *collector, struct trace_settings *settings,
		    const char *version, bool (*gives_up)(void));
void collector_destroy(struct collector *collector);

/* The next request's body, of up to COLLECTOR_SPANS_MAX spans as JSON. */
void collector_write(struct collector *collector, char *const *spans, size_t count);
/* Sends it. A failure is logged, once in a while. */
struct collector_result collector_post(struct collector *collector, size_t count,
				       int64_t timeout_ms);
