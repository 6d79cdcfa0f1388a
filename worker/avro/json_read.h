/*
 * A record as JSON, by the tables of record.h: the schema's fields by name, in any order. What may
 * be null may be absent. A time is milliseconds or RFC 3339. A union of records is an object whose
 * `type` names the record; a field that would be called `type` beside it has another name there.
 *
 * No tree is made of the text: jansson parses one string or number at a time (json_walk.h), so that
 * memory keeps to the text's size and depth does not matter.
 */
#pragma once

#include "avro/record.h"
#include "base/arena.h"
#include "domain/problem.h"

enum { JSON_READ_E_REFUSED = 1 };

enum json_unknown { JSON_UNKNOWN_PASSED, JSON_UNKNOWN_REFUSED };

/*
 * `text` begins with `{`. `out` is the record's struct, zeroed by the caller. Wrong members stay
 * zero and are told in `*faults`, which is NULL where there are none; a union of no known type has
 * the number of its branches. Returns 0; or JSON_READ_E_REFUSED for text that is not JSON, with the
 * reason in `why`.
 */
int json_read_record(struct arena *arena, const struct record *record, const char *text, size_t len,
		     enum json_unknown unknown, void *out, const struct problem **faults,
		     const char **why) _must_check_;
