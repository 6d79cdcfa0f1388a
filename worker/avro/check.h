/* A bounded walk over a record's bytes, which they must pass before they are decoded. It
 * allocates nothing, whatever the bytes claim. */
#pragma once

#include "avro/wire.h"
#include "avro/writer_schema.h"

enum { CHECK_DEPTH_MAX = 32 };

/* Checks that the bytes are exactly one value of the schema. Returns NULL, or the fault (static
 * text). */
const char *check_bytes(const struct schema *schema, const void *bytes, size_t len);

/* Skips one value of a record that has passed check_bytes. */
void check_skip(struct wire *wire, const struct schema *schema);
