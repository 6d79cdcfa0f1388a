/*
 * A credential issuance as JSON: an object with the field names of
 * schemas/credential-issuance-command.avsc.
 *
 * `claims` is an object, or a string with its text. `credential` is an object, taken over byte for
 * byte; or a string, which is a compact form (a JWT) unless it begins with { or ", for then it is
 * JSON text already. `timestamp` is milliseconds or ISO 8601. What the values are worth is the
 * worker's to say; refused here is only what could not be sent, or never be answered.
 */
#pragma once

#include "base/arena.h"
#include "domain/command.h"

struct issuance_defaults {
	const char *tenant_id; /* NULL: each object must name its tenant */
	int64_t now_ms;        /* wall: the timestamp where there is none */
};

enum { ISSUANCE_JSON_E_REFUSED = 1 };

/* Ids that are absent are made. Returns 0 with everything in the arena, or ISSUANCE_JSON_E_REFUSED
 * with the reason in `why` (in the arena). */
int issuance_json_parse(struct arena *arena, const char *text, size_t len,
			const struct issuance_defaults *defaults, struct issuance *out,
			const char **why) _must_check_;

/* The schema's text for a credential that was given as a string. Returns text in the arena or
 * `string` itself. */
const char *issuance_credential_text(struct arena *arena, const char *string);
