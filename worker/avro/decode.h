/* Decodes a record's checked bytes into a struct of the domain. */
#pragma once

#include "avro/record.h"
#include "avro/writer_schema.h"

enum { DECODE_E_REFUSED = 1 };

/*
 * `bytes` must have passed check_bytes with the writer's `schema`. `out` is the record's struct,
 * zeroed by the caller. Fields are matched by name, and branches of unions by their record's name,
 * so a writer may have another order, more fields and fewer. Returns 0, or DECODE_E_REFUSED with
 * the field and the reason in `why`.
 */
int decode_record(struct arena *arena, const struct schema *schema, const struct record *record,
		  const void *bytes, size_t len, void *out, const char **why) _must_check_;

/* Sets the values that stand for null and are not zero. */
void decode_set_defaults(const struct record *record, void *out);
