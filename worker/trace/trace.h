/*
 * The way of spans to a collector: OTLP over HTTP, as JSON. Off where no endpoint is set.
 *
 *     trace_add ──► queue ──► POST of at most 512 spans, each second
 *     (any thread)  (bounded)  (a thread of its own)
 *
 * It is never in a delivery's way: nobody waits for the collector. Where it does not take spans the
 * queue fills, and further ones are dropped and counted.
 */
#pragma once

#include "trace/settings.h"
#include "trace/span.h"

/* Takes the settings over, and starts the thread where they name an endpoint. Returns 0 or a
 * negative errno, which the caller logs. One call in a process's life. */
int trace_start(struct trace_settings *settings, const char *version) _must_check_;
/* Sends what is in the queue, for at most two seconds, and ends the thread. */
void trace_stop(void);

/* Whether spans of the command, or delivery, with this traceparent are wanted: they are sent
 * somewhere, and its trace is sampled. NULL: no. Any thread. */
bool trace_wants(const char *traceparent);

/* Copies the span. Any thread; it waits for nothing but a short lock. */
void trace_add(const struct span *span);

/* Since the start. */
struct trace_counts {
	uint64_t sent, dropped;
};

struct trace_counts trace_counts(void);
