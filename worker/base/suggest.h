/* A suggestion for a misspelt name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether `candidate` is the likeliest meaning of the misspelt `name` so far. `*nearest` is the
 * distance of the best candidate yet and begins as SIZE_MAX. */
bool suggest_is_nearer(const char *name, const char *candidate, size_t *nearest);
