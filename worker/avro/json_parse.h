/* The one place where JSON text becomes a tree. It refuses a NUL byte, which no JSON text has (RFC
 * 8259 section 2): jansson passes over one behind a number, `true`, `false` or `null`. */
#pragma once

#include <jansson.h>

/* As json_loadb: returns a new reference, or NULL and fills `error`, which may be NULL. */
json_t *json_parse(const char *text, size_t len, size_t flags, json_error_t *error);
