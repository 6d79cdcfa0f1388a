/* The two clocks: wall time for recorded times, monotonic time for measured ones. Only programs
 * and I/O layers read them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);

/* Milliseconds and microseconds of CLOCK_MONOTONIC. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

enum { CLOCK_ISO8601_SIZE = sizeof("-2147481748-01-31T12:00:00.000Z") };

/* "2026-01-31T12:00:00.000Z". Source: RFC 3339 section 5.6. */
void clock_format_iso8601(int64_t wall_ms, char out[CLOCK_ISO8601_SIZE]);

/* Parses exactly that form, with milliseconds. Returns 0, or -EINVAL. */
int clock_parse_iso8601(const char *text, int64_t *wall_ms);
/* Parses that form with any fraction of a second or none, and Z or an offset such as +01:00. Digits
 * past milliseconds do not count. Returns 0, or -EINVAL. Source: RFC 3339 section 5.6. */
int clock_parse_rfc3339(const char *text, int64_t *wall_ms);
