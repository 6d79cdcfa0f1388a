/*
 * A credential issuance as JSON: an object with the field names of
 * schemas/credential-issuance-command.avsc.
 *
 * `claims` is an object, or a string with its text. `credential` is an object, copied byte for
 * byte, or a string: JSON text if it begins with { or ", else a compact form (a JWT). `timestamp`
 * is milliseconds or ISO 8601. The worker judges the values. Refused here are only objects that
 * could not be sent, or whose command would get no outcome.
 */
#pragma once

#include "base/arena.h"
#include "domain/command.h"

struct issuance_defaults {
	const char *tenant_id; /* NULL: each object must name its tenant */
	int64_t now_ms;        /* wall: the timestamp of objects without one */
};

enum { ISSUANCE_JSON_E_REFUSED = 1 };

/* Parses one object; absent ids get random ones. Returns 0 with everything in the arena, or
 * ISSUANCE_JSON_E_REFUSED with the reason in `why` (in the arena). */
int issuance_json_parse(struct arena *arena, const char *text, size_t len,
			const struct issuance_defaults *defaults, struct issuance *out,
			const char **why) _must_check_;

/* The same of an event of one's own, by the fields of schemas/event-command.avsc: `payload` is any
 * JSON value, copied byte for byte. */
int event_json_parse(struct arena *arena, const char *text, size_t len,
		     const struct issuance_defaults *defaults, struct event_command *out,
		     const char **why) _must_check_;

/* The schema's form of a credential that was given as a string: text in the arena, or `string`
 * itself. */
const char *issuance_credential_text(struct arena *arena, const char *string);
