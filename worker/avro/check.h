/* The bounded walk that a record's bytes must pass before anything is made of them. Allocates
 * nothing, whatever they claim. */
#pragma once

#include "avro/wire.h"
#include "avro/writer_schema.h"

enum { CHECK_DEPTH_MAX = 32 };

/* Whether the bytes are exactly one value of the schema. Returns NULL, or what is wrong with them
 * (static text). */
const char *check_bytes(const struct schema *schema, const void *bytes, size_t len);

/* Steps over one value of a record that has passed. */
void check_skip(struct wire *wire, const struct schema *schema);
