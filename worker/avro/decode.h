/* A record's bytes, checked before, into a struct of the domain. */
#pragma once

#include "avro/record.h"
#include "avro/writer_schema.h"

enum { DECODE_E_REFUSED = 1 };

/*
 * `bytes` must have passed check_bytes with the writer's `schema`. `out` is the struct of the
 * record, zeroed by the caller. Fields are matched by name and branches of unions by the name of
 * their record, so that another order, fields more and fields fewer are understood. Returns 0, or
 * DECODE_E_REFUSED with the field and the reason in `why`.
 */
int decode_record(struct arena *arena, const struct schema *schema, const struct record *record,
		  const void *bytes, size_t len, void *out, const char **why) _must_check_;
