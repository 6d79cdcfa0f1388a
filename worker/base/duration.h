/* Durations as people write them: a whole number and a unit, 500ms, 5s, 5m, 2h, 5d. */
#pragma once

#include <stdint.h>

enum { DURATION_TEXT_SIZE = sizeof("-9223372036854775808ms") };

/* Reads `text` into milliseconds. A zero needs no unit. Returns 0; -EINVAL where it is no duration,
 * or past 64 bits. */
int duration_parse(const char *text, int64_t *ms);

/* In the largest unit that divides it, so that what was parsed is written as people would write it.
 */
void duration_format(int64_t ms, char out[DURATION_TEXT_SIZE]);
