/*
 * An issuance as a line of JSON: an accepted one has each text as jansson reads it, and claims and
 * credential byte for byte as they stand in the line.
 */
#include "command/issuance_json.h"
#include "domain/limits.h"
#include "fuzz.h"

#include <jansson.h>

static const struct issuance_defaults defaults = { .tenant_id = "acme",
						   .now_ms = INT64_C(1769860800000) };

static void check_text(const json_t *object, const char *name, const char *text, bool is_made) {
	const json_t *value = json_object_get(object, name);

	if (!value || json_is_null(value))
		CHECK(is_made ? *text : !text);
	else
		CHECK(!strcmp(text, json_string_value(value)));
}

/* `text` is the value's own bytes, or the string's. */
static void check_json(const json_t *object, const char *name, const char *line, size_t len,
		       const char *text) {
	const json_t *value = json_object_get(object, name);
	json_t *again;

	if (!json_is_object(value))
		return;
	CHECK(memmem(line, len, text, strlen(text)));
	again = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	CHECK(json_equal(value, again));
	json_decref(again);
}

/* A string is a compact credential, unless it is JSON already. */
static void check_credential(const json_t *object, const char *text) {
	const char *string = json_string_value(json_object_get(object, "credential"));
	json_t *quoted;

	if (!string)
		return;
	if (!*string || *string == '{' || *string == '"') {
		CHECK(!strcmp(string, text));
		return;
	}
	quoted = json_loads(text, JSON_DECODE_ANY, NULL);
	CHECK(quoted && !strcmp(json_string_value(quoted), string));
	json_decref(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *line = (const char *)data, *why = NULL;
	struct issuance out;
	json_t *object;

	if (issuance_json_parse(arena, line, size, &defaults, &out, &why)) {
		CHECK(why && *why);
		return 0;
	}
	object = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	/* RFC 8259 section 2 has no place for a NUL byte, which jansson passes over. */
	CHECK(object && !memchr(line, '\0', size));
	CHECK(*out.envelope.tenant_id && strlen(out.envelope.tenant_id) <= TENANT_ID_MAX);
	check_text(object, "tenantId", out.envelope.tenant_id, true);
	check_text(object, "commandId", out.envelope.command_id, true);
	check_text(object, "requestId", out.envelope.request_id, true);
	check_text(object, "clientId", out.envelope.client_id, false);
	check_text(object, "userId", out.user_id, false);
	check_text(object, "credentialId", out.credential_id, false);
	check_text(object, "credentialConfigurationId", out.credential_configuration_id, false);
	check_text(object, "credentialProfile", out.credential_profile, false);
	check_text(object, "format", out.format, false);
	check_text(object, "credentialOfferId", out.credential_offer_id, false);
	check_text(object, "sessionId", out.session_id, false);
	check_json(object, "claims", line, size, out.claims);
	check_json(object, "credential", line, size, out.credential);
	check_credential(object, out.credential);
	json_decref(object);
	return 0;
}
