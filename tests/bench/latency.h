/*
 * How long requests took to come, by what stands in them: "sent-at-" and 16 digits, the time
 * (monotonic, microseconds) at which a command was given away. One clock for all processes of a
 * machine; so a command needs no list of its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* From now on requests are looked into. */
void latency_begin(void);

/* Looks into the bytes received at that time; does nothing unless it was started. */
void latency_look(const char *bytes, size_t len, int64_t now_us);

/* Prints {"count", "p50", "p99", "p999", "max"} in milliseconds, and looks no longer. */
void latency_end(void);
