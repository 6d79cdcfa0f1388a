/* Events of one's own, and the members of a webhook that choose among events. */
#include "base/utf8.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

#define OWN "DegreeRevoked"

static struct uuid subscribe(struct world *world, const char *type,
			     const struct webhook_filter *filter) {
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	const struct analytic_event *outcome;
	const char *events[] = { type };

	command.events = arena_memdup(world->arena, events, sizeof(events));
	command.filter = filter;
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_CREATE_SUCCESS", 201);
	return outcome->data.webhook.id;
}

/* The delivery that the last command recorded to the webhook, or NULL. */
static const struct delivery *recorded(const struct world *world, const struct uuid *webhook_id) {
	for (size_t i = 0; i < world->effects.change_count; i++) {
		const struct state_record *record = world->effects.changes[i].record;

		if (record && record->kind == STATE_DELIVERY &&
		    uuid_compare(&record->delivery.webhook_id, webhook_id) == 0)
			return &record->delivery;
	}
	return NULL;
}

static void an_event_goes_to_who_subscribes_to_its_type(void **state) {
	struct world *world = *state;
	struct uuid mine = subscribe(world, OWN, NULL),
		    other = subscribe(world, "degree.renewed_v2", NULL),
		    issued = subscribe(world, "OpenIdCredentialIssued", NULL), id;
	struct event_command event = world_event(world);
	const struct analytic_event *outcome;
	char text[UUID_TEXT_SIZE];

	event.subject = "degree-1";
	outcome = world_publish(world, &event);
	world_assert_outcome(outcome, "WEBHOOK_EVENT_PUBLISH_SUCCESS", 202);
	assert_int_equal(outcome->data.published.deliveries, 1);
	assert_null(recorded(world, &other));
	assert_null(recorded(world, &issued));
	assert_string_equal(recorded(world, &mine)->event_type, OWN);
	assert_string_equal(recorded(world, &mine)->subject, "degree-1");
	id = id_of_event("t", event.envelope.command_id, OWN);
	assert_int_equal(uuid_compare(&id, &outcome->data.published.event_id), 0);
	uuid_format(&id, text);
	assert_non_null(
	    strstr(recorded(world, &mine)->body,
		   arena_printf(
		       world->arena,
		       "\"event\":{\"id\":\"%s\",\"type\":\"" OWN "\",\"subject\":\"degree-1\","
		       "\"timestamp\":\"2026-01-31T11:59:59.000Z\",\"payload\":{\"reason\": 1.0}}}",
		       text)));
}

/* R11; and R12 where the configuration asks for it. */
static void an_event_that_comes_again_has_the_same_ids(void **state) {
	struct world *world = *state;
	struct uuid mine = subscribe(world, OWN, NULL), id;
	struct event_command event = world_event(world), other = event;
	const struct analytic_event *outcome = world_publish(world, &event);

	id = outcome->data.published.event_id;
	assert_non_null(recorded(world, &mine));
	print_message("without a receipt it is published again: its delivery is there\n");
	outcome = world_publish(world, &event);
	assert_false(outcome->repeat);
	assert_int_equal(uuid_compare(&outcome->data.published.event_id, &id), 0);
	assert_int_equal(world->effects.change_count, 0);
	print_message("with one it is answered again\n");
	world->settings.issuance_receipt_retention_ms = 1000;
	world_publish(world, &event);
	assert_int_equal(world->effects.change_count, 1);
	outcome = world_publish(world, &event);
	assert_true(outcome->repeat);
	assert_int_equal(outcome->status, 202);
	assert_int_equal(uuid_compare(&outcome->data.published.event_id, &id), 0);
	print_message("and another one with its commandId is refused\n");
	other.payload = "{}";
	assert_int_equal(world_publish(world, &other)->status, 409);
	other = event;
	other.subject = "degree-2";
	assert_int_equal(world_publish(world, &other)->status, 409);
}

static const struct {
	const char *name, *type, *subject, *payload, *param, *msg;
} refused[] = {
	{ "no type", NULL, NULL, "{}", "eventType", "Invalid value" },
	{ "an empty type", "", NULL, "{}", "eventType", "Invalid value" },
	{ "a type that is not configured", "Other", NULL, "{}", "eventType", "Invalid value" },
	{ "another case", "degreeRevoked", NULL, "{}", "eventType", "Invalid value" },
	{ "a built-in type", "OpenIdCredentialIssued", NULL, "{}", "eventType", "Invalid value" },
	{ "the test's type", "WebhookTest", NULL, "{}", "eventType", "Invalid value" },
	{ "no payload", OWN, NULL, NULL, "payload", "Must be given, and not be null" },
	{ "an empty payload", OWN, NULL, "", "payload", NULL },
	{ "null", OWN, NULL, "null", "payload", NULL },
	{ "blanks and null", OWN, NULL, " null\n", "payload", NULL },
	{ "no JSON", OWN, NULL, "{", "payload", NULL },
	{ "two values", OWN, NULL, "{} {}", "payload", NULL },
	{ "a bare word", OWN, NULL, "yes", "payload", NULL },
	{ "a name twice", OWN, NULL, "{\"a\":1,\"a\":2}", "payload", NULL },
	{ "a number beyond a double", OWN, NULL, "1e999", "payload", NULL },
};

static void wrong_events_are_refused(void **state) {
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct event_command event = world_event(world);
		const struct analytic_event *outcome;

		print_message("%s\n", refused[i].name);
		event.event_type = refused[i].type;
		event.subject = refused[i].subject;
		event.payload = refused[i].payload;
		outcome = world_publish(world, &event);
		world_assert_outcome(outcome, "WEBHOOK_EVENT_PUBLISH_FAIL", 400);
		assert_int_equal(outcome->data.problem->detail_count, 1);
		assert_string_equal(outcome->data.problem->details[0].param, refused[i].param);
		if (refused[i].msg)
			assert_string_equal(outcome->data.problem->details[0].msg, refused[i].msg);
	}
}

static void bounds_of_an_event(void **state) {
	struct world *world = *state;
	struct event_command event = world_event(world);

	event.subject = world_filled(world, IDENTIFIER_MAX);
	event.payload = "[\"any\", 1]";
	world_assert_outcome(world_publish(world, &event), "WEBHOOK_EVENT_PUBLISH_SUCCESS", 202);
	event = world_event(world);
	event.subject = world_filled(world, IDENTIFIER_MAX + 1);
	world_assert_outcome(world_publish(world, &event), "WEBHOOK_EVENT_PUBLISH_FAIL", 400);
	event = world_event(world);
	event.payload = arena_printf(world->arena, "\"%s\"", world_filled(world, 300 * 1024));
	world_assert_outcome(world_publish(world, &event), "WEBHOOK_EVENT_PUBLISH_FAIL", 400);
}

static const char *degrees[] = { "Degree", "Licence" };
static const char *formats[] = { "jwt_vc_json" };
static const char *profiles[] = { "profile" };
static const char *subjects[] = { "credential-1", "degree-1" };

static const struct {
	const char *name;
	struct webhook_filter filter;
	bool matches_issuance, matches_event;
} filters[] = {
	{ "a configuration that it has",
	  { .credential_configuration_ids = { degrees, 1 } },
	  true,
	  false },
	{ "any of a list", { .credential_configuration_ids = { degrees, 2 } }, true, false },
	{ "another configuration",
	  { .credential_configuration_ids = { degrees + 1, 1 } },
	  false,
	  false },
	{ "a format", { .formats = { formats, 1 } }, true, false },
	{ "exactly, not a part", { .formats = { degrees, 2 } }, false, false },
	{ "a profile", { .credential_profiles = { profiles, 1 } }, true, false },
	{ "another profile", { .credential_profiles = { degrees, 1 } }, false, false },
	{ "a subject", { .subjects = { subjects, 2 } }, true, true },
	{ "the other subject", { .subjects = { subjects + 1, 1 } }, false, true },
	{ "all members",
	  { .credential_configuration_ids = { degrees, 2 },
	    .formats = { formats, 1 },
	    .subjects = { subjects, 1 } },
	  true,
	  false },
	{ "all members, one of which it has not",
	  { .credential_configuration_ids = { degrees, 2 },
	    .formats = { degrees, 1 },
	    .subjects = { subjects, 1 } },
	  false,
	  false },
	{ "an empty filter is none", { .formats = { NULL, 0 } }, true, true },
};

static void a_filter_chooses(void **state) {
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct uuid credentials, events;
		struct event_command event;
		struct issuance issuance;
		struct world *world;
		void *own;

		print_message("%s\n", filters[i].name);
		world_setup(&own);
		world = own;
		credentials = subscribe(world, "OpenIdCredentialIssued", &filters[i].filter);
		events = subscribe(world, OWN, &filters[i].filter);
		issuance = world_issuance(world);
		issuance.credential_configuration_id = "Degree";
		world_issue(world, &issuance);
		assert_int_equal(recorded(world, &credentials) != NULL,
				 filters[i].matches_issuance);
		assert_int_equal(world->effects.filtered, !filters[i].matches_issuance);
		event = world_event(world);
		event.subject = "degree-1";
		world_publish(world, &event);
		assert_int_equal(recorded(world, &events) != NULL, filters[i].matches_event);
		assert_int_equal(world->effects.filtered, !filters[i].matches_event);
		world_teardown(&own);
	}
	(void)state;
}

/* R13. */
static void nothing_newer_is_written_while_a_worker_is_older(void **state) {
	struct world *world = *state;
	struct command plain = world_command(world, OPERATION_CREATE_WEBHOOK),
		       newer = world_command(world, OPERATION_CREATE_WEBHOOK);
	const struct analytic_event *outcome;

	newer.description = "new";
	world->edition = GROUP_EDITION_SOME_OLDER;
	world->older_workers = "worker-1, worker-2";
	world_assert_outcome(world_handle(world, &plain), "WEBHOOK_CREATE_SUCCESS", 201);
	outcome = world_handle(world, &newer);
	world_assert_outcome(outcome, "WEBHOOK_CREATE_FAIL", 503);
	assert_string_equal(outcome->data.problem->details[0].value, "worker-1, worker-2");
	assert_int_equal(world->effects.change_count, 0);
	print_message("the same command is carried out after the upgrade\n");
	world->edition = GROUP_EDITION_NEWEST;
	outcome = world_handle(world, &newer);
	world_assert_outcome(outcome, "WEBHOOK_CREATE_SUCCESS", 201);
	assert_string_equal(outcome->data.webhook.description, "new");
}

static void give_header(struct command *command) {
	static struct header_given header = { "x-api-key", "secret" };

	command->headers = &header;
	command->header_count = 1;
}

static void give_hmac(struct command *command) {
	static const char *hmac[] = { "standard-webhooks-hmac" };

	command->signatures = hmac;
	command->signature_count = 1;
}

/* A webhook with an HMAC secret, its id in `id`. */
static void create_with_secret(struct world *world, char id[UUID_TEXT_SIZE]) {
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	const struct analytic_event *outcome;

	give_hmac(&command);
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_CREATE_SUCCESS", 201);
	uuid_format(&outcome->data.webhook.id, id);
}

static void nothing_with_a_secret_is_written_while_a_worker_is_older(void **state) {
	static const struct {
		const char *name;
		enum operation operation;
		void (*give)(struct command *command); /* NULL: nothing more */
		const char *outcome;
	} rows[] = {
		{ "headers", OPERATION_CREATE_WEBHOOK, give_header, "WEBHOOK_CREATE_FAIL" },
		{ "signatures", OPERATION_CREATE_WEBHOOK, give_hmac, "WEBHOOK_CREATE_FAIL" },
		{ "an update that keeps a secret", OPERATION_UPDATE_WEBHOOK, NULL,
		  "WEBHOOK_UPDATE_FAIL" },
		{ "a secret that is shown", OPERATION_RETRIEVE_SECRET, NULL,
		  "WEBHOOK_SECRET_RETRIEVE_FAIL" },
		{ "a delivery that is resent", OPERATION_RESEND_DELIVERY, NULL,
		  "WEBHOOK_DELIVERY_RESEND_FAIL" },
		{ "a secret that is rotated", OPERATION_ROTATE_SECRET, NULL,
		  "WEBHOOK_SECRET_ROTATE_FAIL" },
	};
	struct world *world = *state;
	char id[UUID_TEXT_SIZE];

	create_with_secret(world, id);
	world->edition = GROUP_EDITION_SOME_OLDER;
	world->older_workers = "worker-1";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct command command = world_command(world, rows[i].operation);

		print_message("%s\n", rows[i].name);
		command.id = id;
		if (rows[i].give)
			rows[i].give(&command);
		world_assert_outcome(world_handle(world, &command), rows[i].outcome, 503);
		assert_int_equal(world->effects.change_count, 0);
	}
}

/* Names of the second edition's members, each with a good and a wrong value. */
static void members_are_judged(void **state) {
	struct world *world = *state;
	const char *many[FILTER_VALUES_MAX + 1], *long_one[1], *empty[] = { "" };
	struct webhook_filter too_many = { .subjects = { many, FILTER_VALUES_MAX + 1 } },
			      too_long = { .formats = { long_one, 1 } },
			      with_empty = { .credential_profiles = { empty, 1 } };
	const struct {
		const char *name, *description;
		const struct webhook_filter *filter;
		bool has_rate_limit;
		int32_t rate_limit;
		const char *param; /* NULL: it is good */
	} rows[] = {
		{ "256 characters", world_filled(world, 256), NULL, false, 0, NULL },
		{ "257 characters", world_filled(world, 257), NULL, false, 0, "description" },
		{ "no attempts at all", NULL, NULL, true, 0, "rateLimit" },
		{ "fewer than none", NULL, NULL, true, -1, "rateLimit" },
		{ "one attempt", NULL, NULL, true, 1, NULL },
		{ "10000 attempts", NULL, NULL, true, 10000, NULL },
		{ "10001 attempts", NULL, NULL, true, 10001, "rateLimit" },
		{ "65 values", NULL, &too_many, false, 0, "filter.subject" },
		{ "a long value", NULL, &too_long, false, 0, "filter.format[0]" },
		{ "an empty value", NULL, &with_empty, false, 0, "filter.credentialProfile[0]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "s";
	long_one[0] = world_filled(world, IDENTIFIER_MAX + 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
		const struct analytic_event *outcome;

		print_message("%s\n", rows[i].name);
		command.description = rows[i].description;
		command.filter = rows[i].filter;
		command.has_rate_limit = rows[i].has_rate_limit;
		command.rate_limit = rows[i].rate_limit;
		outcome = world_handle(world, &command);
		assert_int_equal(outcome->status, rows[i].param ? 400 : 201);
		if (rows[i].param)
			assert_string_equal(outcome->data.problem->details[0].param, rows[i].param);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_event_goes_to_who_subscribes_to_its_type,
						world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(an_event_that_comes_again_has_the_same_ids,
						world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(wrong_events_are_refused, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(bounds_of_an_event, world_setup, world_teardown),
		cmocka_unit_test(a_filter_chooses),
		cmocka_unit_test_setup_teardown(nothing_newer_is_written_while_a_worker_is_older,
						world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_with_a_secret_is_written_while_a_worker_is_older, world_setup,
		    world_teardown),
		cmocka_unit_test_setup_teardown(members_are_judged, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
