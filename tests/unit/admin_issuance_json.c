#include "command/issuance_json.h"
#include "unit.h"

#include <stdio.h>

#define REQUIRED                                                                                   \
	"\"credentialId\":\"c\",\"credentialConfigurationId\":\"cc\",\"credentialProfile\":\"p\"," \
	"\"format\":\"f\""

enum { NOW_MS = 1700000 };

static const struct issuance_defaults defaults_of_acme = { .tenant_id = "acme", .now_ms = NOW_MS };

static int parse(struct arena *arena, const char *text, const char *tenant_id, struct issuance *out,
		 const char **why) {
	const struct issuance_defaults defaults = { .tenant_id = tenant_id, .now_ms = NOW_MS };

	*why = "";
	return issuance_json_parse(arena, text, strlen(text), &defaults, out, why);
}

static const struct {
	const char *name, *members, *credential, *claims;
} values[] = {
	{ "none", "", "", NULL },
	{ "null", ",\"credential\":null,\"claims\":null", "", NULL },
	{ "an object, byte for byte", ",\"credential\":{ \"b\" : 1.10, \"a\":\"\\u00e9\" }",
	  "{ \"b\" : 1.10, \"a\":\"\\u00e9\" }", NULL },
	{ "a number that no double holds", ",\"credential\":{\"n\":12345678901234567890123}",
	  "{\"n\":12345678901234567890123}", NULL },
	{ "a compact form", ",\"credential\":\"eyJ.e30.c2ln\"", "\"eyJ.e30.c2ln\"", NULL },
	{ "a compact form with a quote", ",\"credential\":\"a\\\"b\"", "\"a\\\"b\"", NULL },
	{ "JSON text of an object", ",\"credential\":\"{\\\"a\\\":1}\"", "{\"a\":1}", NULL },
	{ "JSON text of a string", ",\"credential\":\"\\\"eyJ\\\"\"", "\"eyJ\"", NULL },
	{ "an empty string", ",\"credential\":\"\"", "", NULL },
	{ "claims as an object", ",\"claims\":{\"a\":[1,{\"b\":\"]}\"}]}", "",
	  "{\"a\":[1,{\"b\":\"]}\"}]}" },
	{ "claims as text", ",\"claims\":\"{\\\"a\\\":1}\"", "", "{\"a\":1}" },
	{ "claims as any text: the worker judges", ",\"claims\":\"no\"", "", "no" },
	{ "a name in escaped spelling", ",\"cl\\u0061ims\":{\"a\": 1}", "", "{\"a\": 1}" },
	{ "the same name deeper", ",\"claims\":{\"credential\":{\"x\":1}},\"credential\":{\"y\":2}",
	  "{\"y\":2}", "{\"credential\":{\"x\":1}}" },
};

static void values_keep_their_spelling(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		const char *text = arena_printf(arena, "{" REQUIRED "%s}", values[i].members), *why;
		struct issuance issuance;

		if (parse(arena, text, "acme", &issuance, &why))
			fail_msg("%s: refused: %s", values[i].name, why);
		if (strcmp(issuance.credential, values[i].credential) != 0)
			fail_msg("%s: credential %s", values[i].name, issuance.credential);
		if (!issuance.claims != !values[i].claims ||
		    (issuance.claims && strcmp(issuance.claims, values[i].claims) != 0))
			fail_msg("%s: claims %s", values[i].name,
				 issuance.claims ? issuance.claims : "-");
	}
}

static void all_fields_are_taken(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct issuance issuance;
	const char *why;

	assert_int_equal(parse(arena,
			       "{" REQUIRED ",\"commandId\":\"k\",\"tenantId\":\"t\",\"requestId\":"
			       "\"r\",\"clientId\":\"cl\",\"timestamp\":1767182400123,"
			       "\"userId\":\"u\",\"credentialOfferId\":\"o\",\"sessionId\":\"s\"}",
			       "acme", &issuance, &why),
			 0);
	assert_string_equal(issuance.envelope.command_id, "k");
	assert_string_equal(issuance.envelope.tenant_id, "t");
	assert_string_equal(issuance.envelope.request_id, "r");
	assert_string_equal(issuance.envelope.client_id, "cl");
	assert_int_equal(issuance.envelope.timestamp_ms, 1767182400123);
	assert_string_equal(issuance.user_id, "u");
	assert_string_equal(issuance.credential_id, "c");
	assert_string_equal(issuance.credential_configuration_id, "cc");
	assert_string_equal(issuance.credential_profile, "p");
	assert_string_equal(issuance.format, "f");
	assert_string_equal(issuance.credential_offer_id, "o");
	assert_string_equal(issuance.session_id, "s");
}

static void missing_fields_have_defaults(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct issuance first, second;
	const char *why;

	assert_int_equal(parse(arena, "{" REQUIRED "}", "acme", &first, &why), 0);
	assert_int_equal(parse(arena, "{" REQUIRED "}", "acme", &second, &why), 0);
	assert_string_equal(first.envelope.tenant_id, "acme");
	assert_int_equal(first.envelope.timestamp_ms, NOW_MS);
	assert_int_equal(strlen(first.envelope.command_id), 36);
	assert_string_not_equal(first.envelope.command_id, second.envelope.command_id);
	assert_null(first.envelope.client_id);
	assert_null(first.user_id);
}

static const struct {
	const char *name, *text, *why;
} refused[] = {
	{ "not JSON", "{" REQUIRED, "not JSON" },
	{ "an array", "[]", "must be a JSON object" },
	{ "two objects", "{" REQUIRED "}{}", "not JSON" },
	{ "a name twice", "{" REQUIRED ",\"format\":\"g\"}", "not JSON" },
	{ "a NUL", "{" REQUIRED ",\"userId\":\"a\\u0000b\"}", "not JSON" },
	{ "bad UTF-8", "{" REQUIRED ",\"userId\":\"\xff\"}", "not JSON" },
	{ "an unknown field", "{" REQUIRED ",\"userID\":\"u\"}", "userID is not a field" },
	{ "a number for text", "{" REQUIRED ",\"userId\":1}", "userId must be a string" },
	{ "an object for text", "{" REQUIRED ",\"userId\":{}}", "userId must be a string" },
	{ "claims as an array", "{" REQUIRED ",\"claims\":[]}",
	  "claims must be an object or a string" },
	{ "credential as a number", "{" REQUIRED ",\"credential\":1}",
	  "credential must be an object or a string" },
	{ "a timestamp in words", "{" REQUIRED ",\"timestamp\":\"today\"}", "timestamp must be" },
	{ "a timestamp with a fraction", "{" REQUIRED ",\"timestamp\":1.5}", "timestamp must be" },
	{ "a timestamp past all time", "{" REQUIRED ",\"timestamp\":1e300}", "timestamp must be" },
	{ "a required field is missing", "{\"credentialId\":\"c\"}",
	  "credentialConfigurationId is missing" },
	{ "a required field is null", "{\"credentialId\":null}", "credentialId is missing" },
	{ "an empty tenant", "{" REQUIRED ",\"tenantId\":\"\"}",
	  "tenantId must have 1 to 256 bytes" },
};

static void wrong_issuances_are_refused(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct issuance issuance;
		const char *why;

		if (parse(arena, refused[i].text, "acme", &issuance, &why) !=
		    ISSUANCE_JSON_E_REFUSED)
			fail_msg("%s: taken", refused[i].name);
		if (!strstr(why, refused[i].why))
			fail_msg("%s: %s", refused[i].name, why);
	}
}

#define LINE(text) { text, sizeof(text) - 1 }

static const struct {
	const char *text;
	size_t len;
} nul_lines[] = {
	LINE("{" REQUIRED ",\"userId\":null\0}"),
	LINE("{" REQUIRED ",\"timestamp\":1\0}"),
	LINE("{" REQUIRED ",\"userId\":\"\0\"}"),
	LINE("{" REQUIRED ",\"claims\":{\"a\":true\0}}"),
	LINE("{" REQUIRED "}\0"),
	LINE("\0{" REQUIRED "}"),
};

/* RFC 8259 section 2 has no place for it; jansson passes over it behind a word. */
static void a_nul_byte_is_refused_anywhere(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(nul_lines); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		const char *why = "";
		struct event_command event;
		struct issuance issuance;

		assert_int_equal(issuance_json_parse(arena, nul_lines[i].text, nul_lines[i].len,
						     &defaults_of_acme, &issuance, &why),
				 ISSUANCE_JSON_E_REFUSED);
		assert_string_equal(why, "not JSON: a NUL byte");
		why = "";
		assert_int_equal(event_json_parse(arena, nul_lines[i].text, nul_lines[i].len,
						  &defaults_of_acme, &event, &why),
				 ISSUANCE_JSON_E_REFUSED);
		assert_string_equal(why, "not JSON: a NUL byte");
	}
}

static void a_tenant_is_needed(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct issuance issuance;
	const char *why;

	assert_int_equal(parse(arena, "{" REQUIRED "}", NULL, &issuance, &why),
			 ISSUANCE_JSON_E_REFUSED);
	assert_non_null(strstr(why, "tenantId is missing"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_keep_their_spelling),
		cmocka_unit_test(all_fields_are_taken),
		cmocka_unit_test(missing_fields_have_defaults),
		cmocka_unit_test(wrong_issuances_are_refused),
		cmocka_unit_test(a_nul_byte_is_refused_anywhere),
		cmocka_unit_test(a_tenant_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
