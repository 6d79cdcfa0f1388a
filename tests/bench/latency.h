/*
 * The time that requests took to come, by a mark in them: "sent-at-" and 16 digits, the time
 * (monotonic, microseconds) at which a command was given away. One clock for all processes of a
 * machine; so a command needs no list of its own. Each request belongs to a group, from 1 on.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* From now on requests are looked into; those found before are forgotten. */
void latency_begin(void);

/* Looks into the bytes received at that time; does nothing unless it was started. */
void latency_look(const char *bytes, size_t len, int64_t now_us, int group);

/* Prints {"count", "p50", "p99", "p999", "max"} of a group (0: of all) in milliseconds, and looks
 * no longer. Further groups may be asked for after it. */
void latency_end(int group);
