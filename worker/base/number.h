/* Whole numbers in text. */
#pragma once

#include "base/memory.h"

#include <stdint.h>

/* Parses decimal digits, after a "-" or not, and nothing else. Returns 0, or -EINVAL for other text
 * and for a number outside `min` to `max`. */
int number_parse(const char *text, int64_t min, int64_t max, int64_t *out) _must_check_;
