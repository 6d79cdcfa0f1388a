/* Commands and events as JSON, each with its rule for wrong members. */
#pragma once

#include "avro/record.h"
#include "base/arena.h"

enum { JSON_DECODE_E_REFUSED = 1 };

/*
 * `record` is the table of a command, an issuance or an event, and `out` its struct. A command with
 * wrong or unknown members is decoded, with them in its envelope's `faults`, so that it can be
 * answered; without a tenant or an id it is refused. An event with a wrong member is refused; more
 * members are passed over. Returns 0, or JSON_DECODE_E_REFUSED with the reason in `why`.
 */
int json_decode(struct arena *arena, const struct record *record, const char *text, size_t len,
		void *out, const char **why) _must_check_;
