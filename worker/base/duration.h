/* Durations as people write them: a whole number and a unit, 500ms, 5s, 5m, 2h, 5d. */
#pragma once

#include <stdint.h>

enum { DURATION_TEXT_SIZE = sizeof("-9223372036854775808ms") };

/* Parses `text` into milliseconds. Zero needs no unit. Returns 0; or -EINVAL for any other text
 * or a value past 64 bits. */
int duration_parse(const char *text, int64_t *ms);

/* Formats in the largest unit that divides `ms`, so that a parsed text comes back in a usual
 * form. */
void duration_format(int64_t ms, char out[DURATION_TEXT_SIZE]);
