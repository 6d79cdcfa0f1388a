/* Issuances that are refused: fields, their sizes, and the depth of JSON. */
#include "base/buffer.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

#include <jansson.h>

struct refusal {
	const char *name;
	size_t offset; /* of the field in struct issuance */
	const char *value;
	const char *param;
};

#define FIELD(field, param, value)                                                                 \
	{ param " " #value, offsetof(struct issuance, field), value, param }

static const struct refusal refusals[] = {
	FIELD(credential_id, "credentialId", ""),
	FIELD(credential_id, "credentialId", NULL),
	FIELD(credential_configuration_id, "credentialConfigurationId", ""),
	FIELD(credential_profile, "credentialProfile", ""),
	FIELD(format, "format", ""),
	FIELD(claims, "claims", ""),
	FIELD(claims, "claims", "null"),
	FIELD(claims, "claims", "[]"),
	FIELD(claims, "claims", "\"text\""),
	FIELD(claims, "claims", "{"),
	FIELD(claims, "claims", "{}{}"),
	FIELD(claims, "claims", "{\"a\":1,}"),
	FIELD(claims, "claims", "{\"a\":1,\"a\":2}"),
	FIELD(claims, "claims", "{\"a\":{\"b\":1,\"\\u0062\":2}}"),
	FIELD(claims, "claims", "{'a':1}"),
	FIELD(claims, "claims", "{\"a\":NaN}"),
	FIELD(claims, "claims", "{\"a\":01}"),
	FIELD(claims, "claims", "{\"a\":\"\n\"}"),
	FIELD(claims, "claims", "{\"a\":\"\\ud800\"}"),
	FIELD(claims, "claims", "{} // comment"),
	FIELD(credential, "credential", " "),
	FIELD(credential, "credential", "null"),
	FIELD(credential, "credential", "1"),
	FIELD(credential, "credential", "true"),
	FIELD(credential, "credential", "[]"),
	FIELD(credential, "credential", "eyJ.eyJ.sig"),
	FIELD(credential, "credential", "\""),
	FIELD(credential, "credential", "\"open"),
	FIELD(credential, "credential", "\"a\nb\""),
	FIELD(credential, "credential", "\"\\\""),
	FIELD(credential, "credential", "\"\\x\""),
	FIELD(credential, "credential", "a\""),
	FIELD(credential, "credential", "\"a\" \"b\""),
	FIELD(credential, "credential", "{\"a\":1,\"a\":1}"),
	FIELD(credential, "credential", "{\"a\":1},\"event\":{}"),
};

static void refuses(void **state) {
	struct world *world = *state;

	world_create(world, "t");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct issuance issuance = world_issuance(world);
		const struct analytic_event *outcome;

		memcpy((char *)&issuance + refusals[i].offset, &refusals[i].value,
		       sizeof(refusals[i].value));
		outcome = world_issue(world, &issuance);
		if (outcome->status != 400 || outcome->data.problem->detail_count != 1)
			fail_msg("%s: not refused once", refusals[i].name);
		assert_string_equal(outcome->data.problem->details[0].param, refusals[i].param);
		assert_string_equal(outcome->data.problem->details[0].value,
				    refusals[i].value ? refusals[i].value : "");
		assert_string_equal(outcome->data.problem->details[0].location, "body");
		assert_int_equal(world->effects.change_count, 0);
	}
}

static void takes_strings_and_objects(void **state) {
	static const char *const credentials[] = {
		"",           "\"\"", "\"eyJ.eyJ.sig~\"", "\"a\\nb\\u0000\"",
		"\"ü \x7f\"", "{}",   " {\"a\":[1]} ",    "\n\"a\""
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(credentials); i++) {
		struct issuance issuance = world_issuance(world);

		issuance.credential = credentials[i];
		if (world_issue(world, &issuance)->status != 200)
			fail_msg("%s: refused", credentials[i]);
	}
}

/* An object of `depth` levels, one in the other. */
static char *nested(struct world *world, int depth) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(4096);

	for (int i = 1; i < depth; i++)
		buffer_append_string(&out, "{\"a\\\"]\":");
	buffer_append_string(&out, "[]");
	for (int i = 1; i < depth; i++)
		buffer_append_char(&out, '}');
	return arena_strdup(world->arena, out.data);
}

static void json_has_a_largest_depth(void **state) {
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);
	const struct analytic_event *outcome;

	issuance.claims = issuance.credential = nested(world, JSON_DEPTH_MAX);
	assert_int_equal(world_issue(world, &issuance)->status, 200);
	issuance.claims = issuance.credential = nested(world, JSON_DEPTH_MAX + 1);
	outcome = world_issue(world, &issuance);
	assert_int_equal(outcome->status, 400);
	assert_int_equal(outcome->data.problem->detail_count, 2);
	assert_string_equal(outcome->data.problem->details[0].param, "claims");
	assert_string_equal(outcome->data.problem->details[1].param, "credential");
	assert_string_equal(outcome->data.problem->details[1].msg,
			    "Must be at most 60 levels deep");
	/* Brackets in a string are text. */
	issuance.claims =
	    "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"}";
	issuance.credential = "";
	assert_int_equal(world_issue(world, &issuance)->status, 200);
}

static void names_everything_that_is_too_long(void **state) {
	static const char *const params[] = { "userId",
					      "credentialId",
					      "credentialConfigurationId",
					      "credentialProfile",
					      "format",
					      "credentialOfferId",
					      "sessionId" };
	struct world *world = *state;
	struct issuance issuance = world_issuance(world);
	const struct analytic_event *outcome;

	issuance.user_id = issuance.credential_id = issuance.credential_configuration_id =
	    issuance.credential_profile = issuance.format = issuance.credential_offer_id =
		issuance.session_id = world_filled(world, IDENTIFIER_MAX);
	assert_int_equal(world_issue(world, &issuance)->status, 200);
	issuance.user_id = issuance.credential_id = issuance.credential_configuration_id =
	    issuance.credential_profile = issuance.format = issuance.credential_offer_id =
		issuance.session_id = world_filled(world, IDENTIFIER_MAX + 1);
	outcome = world_issue(world, &issuance);
	assert_int_equal(outcome->data.problem->detail_count, ARRAY_LEN(params));
	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		assert_string_equal(outcome->data.problem->details[i].param, params[i]);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WORLD_TEST(refuses),
		WORLD_TEST(takes_strings_and_objects),
		WORLD_TEST(json_has_a_largest_depth),
		WORLD_TEST(names_everything_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
