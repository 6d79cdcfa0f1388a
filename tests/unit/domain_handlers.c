/* The operations of WebhookCommand: their changes and their answers. */
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

static void a_webhook_lives_and_goes(void **state) {
	static const char *both[] = { "OpenIdCredentialIssuedSummary", "OpenIdCredentialIssued" };
	struct world *world = *state;
	const char *id = world_create(world, "t");
	const struct analytic_event *outcome = &world->effects.events[1];
	struct command command;

	world_assert_outcome(outcome, "WEBHOOK_CREATE_SUCCESS", 201);
	assert_string_equal(outcome->data.webhook.url, "https://example.com/hook");
	assert_int_equal(outcome->data.webhook.created_at_ms, world->now_ms);

	command = world_command_on(world, OPERATION_RETRIEVE_WEBHOOK, id);
	world_assert_outcome(world_handle(world, &command), "WEBHOOK_RETRIEVE_SUCCESS", 200);

	world->now_ms += 5000;
	command = world_command_on(world, OPERATION_UPDATE_WEBHOOK, id);
	command.events = both;
	command.event_count = 2;
	command.url = "HTTPS://example.com:443/other";
	command.disabled = true;
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_UPDATE_SUCCESS", 200);
	assert_string_equal(outcome->data.webhook.url, "https://example.com/other");
	assert_int_equal(outcome->data.webhook.event_count, 2);
	assert_string_equal(outcome->data.webhook.events[0], EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY);
	assert_true(outcome->data.webhook.disabled);
	assert_int_equal(outcome->data.webhook.created_at_ms, WORLD_START_MS);
	assert_int_equal(outcome->data.webhook.updated_at_ms, WORLD_START_MS + 5000);

	command = world_command_on(world, OPERATION_RETRIEVE_WEBHOOK, id);
	outcome = world_handle(world, &command);
	assert_string_equal(outcome->data.webhook.url, "https://example.com/other");

	command = world_command_on(world, OPERATION_DELETE_WEBHOOK, id);
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_DELETE_SUCCESS", 204);
	assert_int_equal(outcome->data.kind, EVENT_DATA_NONE);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 0);

	command = world_command_on(world, OPERATION_RETRIEVE_WEBHOOK, id);
	world_assert_outcome(world_handle(world, &command), "WEBHOOK_RETRIEVE_FAIL", 404);
	command = world_command_on(world, OPERATION_DELETE_WEBHOOK, id);
	world_assert_outcome(world_handle(world, &command), "WEBHOOK_DELETE_FAIL", 404);
}

static void ids_are_taken_in_either_case(void **state) {
	struct world *world = *state;
	char *id = arena_strdup(world->arena, world_create(world, "t"));
	struct command command;

	for (char *p = id; *p; p++)
		*p = *p >= 'a' ? (char)(*p - 'a' + 'A') : *p;
	command = world_command_on(world, OPERATION_RETRIEVE_WEBHOOK, id);
	assert_int_equal(world_handle(world, &command)->status, 200);
}

static void a_tenant_sees_only_its_own(void **state) {
	static const enum operation operations[] = {
		OPERATION_RETRIEVE_WEBHOOK, OPERATION_UPDATE_WEBHOOK, OPERATION_DELETE_WEBHOOK,
		OPERATION_TEST_WEBHOOK, OPERATION_RECOVER_DELIVERIES
	};
	struct world *world = *state;
	const char *id = world_create(world, "other");
	struct command list = world_command(world, OPERATION_RETRIEVE_WEBHOOKS);

	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		struct command command = world_command_on(world, operations[i], id);

		assert_int_equal(world_handle(world, &command)->status, 404);
	}
	assert_int_equal(world_handle(world, &list)->data.page.count, 0);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 1);
}

static void the_first_webhook_brings_the_first_key(void **state) {
	struct world *world = *state;

	world_create(world, "t");
	assert_int_equal(world->effects.change_count, 3);
	world_create(world, "t");
	/* The webhook and the receipt. */
	assert_int_equal(world->effects.change_count, 2);
	assert_int_equal(fake_registry_count(&world->fake, STATE_SIGNING_KEY), 1);
	world_create(world, "u");
	assert_int_equal(fake_registry_count(&world->fake, STATE_SIGNING_KEY), 2);
}

static const struct signing_key *find_key(struct world *world, const char *kid) {
	return &fake_registry_find(
		    &world->fake,
		    &(struct state_key){ .kind = STATE_SIGNING_KEY, .tenant_id = "t", .name = kid })
		    ->signing_key;
}

static void rotation_overlaps(void **state) {
	struct world *world = *state;
	struct command rotate = world_command(world, OPERATION_ROTATE_SIGNING_KEY);
	const struct analytic_event *outcome = world_handle(world, &rotate);

	world_assert_outcome(outcome, "WEBHOOK_KEY_ROTATE_SUCCESS", 201);
	assert_string_equal(outcome->data.signing_key.kid, "kid-t-1");
	world->now_ms += 10;
	rotate = world_command(world, OPERATION_ROTATE_SIGNING_KEY);
	outcome = world_handle(world, &rotate);
	assert_string_equal(outcome->data.signing_key.kid, "kid-t-2");
	assert_int_equal(outcome->data.signing_key.created_at_ms, world->now_ms);
	assert_int_equal(outcome->data.signing_key.expires_at_ms, 0);
	assert_int_equal(find_key(world, "kid-t-1")->expires_at_ms,
			 world->now_ms + WORLD_OVERLAP_MS);
	assert_int_equal(find_key(world, "kid-t-1")->created_at_ms, WORLD_START_MS);
	assert_int_equal(find_key(world, "kid-t-2")->expires_at_ms, 0);
	assert_int_equal(find_key(world, "kid-t-2")->epoch, 2);
	world->now_ms += 10;
	rotate = world_command(world, OPERATION_ROTATE_SIGNING_KEY);
	world_handle(world, &rotate);
	/* The oldest keeps the end that it was given. */
	assert_int_equal(find_key(world, "kid-t-1")->expires_at_ms,
			 WORLD_START_MS + 10 + WORLD_OVERLAP_MS);
	world_create(world, "t");
	assert_int_equal(fake_registry_count(&world->fake, STATE_SIGNING_KEY), 3);
}

static void a_test_is_delivered(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t");
	struct command command = world_command_on(world, OPERATION_TEST_WEBHOOK, id);
	const struct analytic_event *outcome = world_handle(world, &command);
	const struct delivery *delivery;

	world_assert_outcome(outcome, "WEBHOOK_TEST_SUCCESS", 202);
	assert_string_equal(outcome->data.delivery.event_type, EVENT_TYPE_WEBHOOK_TEST);
	assert_int_equal(world->effects.event_count, 3);
	assert_int_equal(uuid_compare(&world->effects.events[2].data.delivery.delivery_id,
				      &outcome->data.delivery.delivery_id),
			 0);
	delivery = &world->effects.changes[0].record->delivery;
	assert_int_equal(delivery->status, DELIVERY_PENDING);
	assert_int_equal(delivery->next_attempt_at_ms, world->now_ms);
	assert_non_null(strstr(delivery->body, "\"type\":\"WebhookTest\""));
	assert_non_null(strstr(
	    delivery->body,
	    "\"payload\":{\"message\":\"This is a test of your webhook.\",\"webhookId\":\""));
	assert_int_equal(delivery->body_len, strlen(delivery->body));
}

static void a_disabled_webhook_is_not_tested_nor_recovered(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t");
	struct command command = world_command_on(world, OPERATION_UPDATE_WEBHOOK, id);
	const struct analytic_event *outcome;

	command.disabled = true;
	world_handle(world, &command);
	command = world_command_on(world, OPERATION_TEST_WEBHOOK, id);
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_TEST_FAIL", 409);
	assert_string_equal(outcome->data.problem->code, "Conflict");
	assert_string_equal(outcome->data.problem->type, "resource");
	assert_string_equal(outcome->data.problem->details[0].param, "id");
	assert_string_equal(outcome->data.problem->details[0].value, id);
	command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
	world_assert_outcome(world_handle(world, &command), "WEBHOOK_RECOVER_FAIL", 409);
	assert_int_equal(fake_registry_count(&world->fake, STATE_DELIVERY), 0);
}

/* A dead delivery of the webhook, that died at `died_at_ms`. */
static void add_dead(struct world *world, const char *webhook_id, uint8_t number,
		     int64_t died_at_ms) {
	struct state_record record = {
		.kind = STATE_DELIVERY,
		.delivery = { .id = { { number } },
			      .tenant_id = "t",
			      .command_id = "c",
			      .event_type = EVENT_TYPE_WEBHOOK_TEST,
			      .body = "{}",
			      .body_len = 2,
			      .status = DELIVERY_DEAD,
			      .attempts = 8,
			      .last_status = 500,
			      .last_reason = "status-500",
			      .next_attempt_at_ms = died_at_ms },
	};
	struct effects effects;

	assert_int_equal(uuid_parse(webhook_id, &record.delivery.webhook_id), 0);
	effects_init(&effects, world->arena);
	effects_put(&effects, &record);
	fake_registry_apply(&world->fake, &effects);
}

static void recovery_makes_dead_deliveries_due(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t"), *other = world_create(world, "t");
	struct command command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
	const struct analytic_event *outcome;
	const struct delivery *revived;

	add_dead(world, id, 1, 1000);
	add_dead(world, id, 2, 2000);
	add_dead(world, id, 3, 3000);
	add_dead(world, other, 4, 3000);
	command.since_ms = 2000;
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_RECOVER_SUCCESS", 200);
	assert_int_equal(outcome->data.recovered, 2);
	assert_int_equal(world->effects.change_count, 3);
	revived = &world->effects.changes[0].record->delivery;
	assert_int_equal(revived->id.bytes[0], 2);
	assert_int_equal(revived->status, DELIVERY_PENDING);
	assert_int_equal(revived->attempts, 0);
	assert_int_equal(revived->next_attempt_at_ms, world->now_ms);
	assert_null(revived->last_reason);
	command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &command)->data.recovered, 1);
	command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &command)->data.recovered, 0);
}

/* The next turn goes on where it ended. */
static void recovery_takes_as_many_bytes_as_fit_into_a_turn(void **state) {
	enum { EACH = 1024 * 1024, FITS = RECOVER_BYTES_MAX / EACH, DEAD = FITS + 3 };
	struct world *world = *state;
	const char *id = world_create(world, "t");
	struct command command;

	for (int number = 1; number <= DEAD; number++)
		add_dead(world, id, (uint8_t)number, number);
	for (size_t i = 0; i < world->fake.count; i++)
		if (world->fake.records[i].kind == STATE_DELIVERY)
			world->fake.records[i].delivery.body_len = EACH;
	command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
	world->may_resume = true;
	world_run(world, &command);
	assert_int_equal(world->effects.change_count, FITS + 1); /* and the receipt */
	command.resume_ms = world->effects.resume_ms;
	world_run(world, &command);
	assert_int_equal(world->effects.change_count, DEAD - FITS + 1);
	assert_int_equal(world->effects.events[0].data.recovered, DEAD);
}

/* A page of webhooks for each look would outweigh the registry. */
static void reads_leave_nothing(void **state) {
	struct world *world = *state;
	struct command commands[] = {
		world_command_on(world, OPERATION_RETRIEVE_WEBHOOK, world_create(world, "t")),
		world_command(world, OPERATION_RETRIEVE_WEBHOOKS),
		world_command_on(world, OPERATION_RETRIEVE_WEBHOOK, "x"),
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		assert_false(world_handle(world, &commands[i])->repeat);
		assert_int_equal(world->effects.change_count, 0);
	}
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_webhook_lives_and_goes),
		WORLD_TEST(ids_are_taken_in_either_case),
		WORLD_TEST(a_tenant_sees_only_its_own),
		WORLD_TEST(the_first_webhook_brings_the_first_key),
		WORLD_TEST(rotation_overlaps),
		WORLD_TEST(a_test_is_delivered),
		WORLD_TEST(a_disabled_webhook_is_not_tested_nor_recovered),
		WORLD_TEST(recovery_makes_dead_deliveries_due),
		WORLD_TEST(recovery_takes_as_many_bytes_as_fit_into_a_turn),
		WORLD_TEST(reads_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
