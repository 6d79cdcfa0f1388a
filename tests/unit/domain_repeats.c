/* Commands that come again: receipts, and the registry's errors. */
#include "domain_world.h"
#include "unit.h"

#include <errno.h>

static void a_repeated_read_reads_again(void **state) {
	struct world *world = *state;
	struct command list = world_command(world, OPERATION_RETRIEVE_WEBHOOKS), create;

	assert_int_equal(world_handle(world, &list)->data.page.count, 0);
	world_create(world, "t");
	assert_int_equal(world_handle(world, &list)->data.page.count, 1);
	assert_false(world->effects.events[1].repeat);
	/* The id of a command that was answered is that command's, also for a read. */
	create = world_command(world, OPERATION_CREATE_WEBHOOK);
	world_handle(world, &create);
	create.operation = OPERATION_RETRIEVE_WEBHOOKS;
	assert_int_equal(world_handle(world, &create)->status, 409);
}

/* Everything else that is answered leaves a receipt, and only that where nothing changed. */
static void refusals_change_only_the_receipt(void **state) {
	struct world *world = *state;
	struct command commands[] = {
		world_command_on(world, OPERATION_TEST_WEBHOOK, "x"),
		world_command_on(world, OPERATION_DELETE_WEBHOOK,
				 "00000000-0000-4000-8000-000000000000"),
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct analytic_event *outcome = world_handle(world, &commands[i]);
		const struct receipt *receipt = &world->effects.changes[0].record->receipt;

		assert_int_equal(world->effects.change_count, 1);
		assert_int_equal(world->effects.changes[0].record->kind, STATE_RECEIPT);
		assert_int_equal(receipt->status, outcome->status);
		assert_int_equal(receipt->subject, outcome->subject);
		assert_int_equal(receipt->expires_at_ms,
				 world->now_ms + WORLD_RECEIPT_RETENTION_MS);
	}
}

static void a_repeated_command_is_answered_again(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	struct uuid id = world_handle(world, &command)->data.webhook.id,
		    event_id = world->effects.events[1].id;
	const struct analytic_event *outcome;

	world->now_ms += 1000;
	/* Fields that do not count as content. */
	command.envelope.timestamp_ms += 77;
	command.envelope.request_id = "another";
	command.envelope.client_id = NULL;
	outcome = world_handle(world, &command);
	assert_true(outcome->repeat);
	assert_int_equal(outcome->status, 201);
	assert_int_equal(uuid_compare(&outcome->data.webhook.id, &id), 0);
	assert_int_not_equal(uuid_compare(&outcome->id, &event_id), 0);
	assert_int_equal(world->effects.change_count, 0);
	assert_int_equal(world->effects.event_count, 2);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 1);
}

static void a_repeated_refusal_is_answered_again(void **state) {
	struct world *world = *state;
	struct command command = world_command_on(world, OPERATION_DELETE_WEBHOOK, "x");
	const struct analytic_event *outcome;

	world_handle(world, &command);
	outcome = world_handle(world, &command);
	assert_true(outcome->repeat);
	assert_int_equal(outcome->status, 400);
	assert_string_equal(outcome->data.problem->details[0].param, "id");
}

static void a_receipt_ends(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);

	world_handle(world, &command);
	world->now_ms += WORLD_RECEIPT_RETENTION_MS - 1;
	assert_true(world_handle(world, &command)->repeat);
	world->now_ms += 1;
	assert_false(world_handle(world, &command)->repeat);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 2);
}

static void a_command_id_means_one_thing(void **state) {
	static const char *other_events[] = { "OpenIdCredentialIssuedSummary" };
	struct world *world = *state;
	struct command first = world_command(world, OPERATION_CREATE_WEBHOOK), others[6];
	const char *id = world_create(world, "t");

	world_handle(world, &first);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		others[i] = first;
	others[0].url = "https://example.com/other";
	others[1].events = other_events;
	others[2].disabled = true;
	others[3].operation = OPERATION_ROTATE_SIGNING_KEY;
	others[4].operation = OPERATION_DELETE_WEBHOOK;
	others[4].id = id;
	others[5].event_count = 0;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct analytic_event *outcome = world_handle(world, &others[i]);

		assert_int_equal(outcome->status, 409);
		assert_false(outcome->repeat);
		assert_string_equal(outcome->data.problem->code, "Conflict");
		assert_string_equal(outcome->data.problem->type, "request");
		assert_string_equal(outcome->data.problem->message,
				    "The commandId was used before with another command.");
		assert_int_equal(outcome->data.problem->detail_count, 1);
		assert_string_equal(outcome->data.problem->details[0].param, "commandId");
		assert_string_equal(outcome->data.problem->details[0].location, "body");
		assert_string_equal(outcome->data.problem->details[0].value,
				    first.envelope.command_id);
		assert_int_equal(world->effects.change_count, 0);
	}
	assert_true(world_handle(world, &first)->repeat);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 2);
}

static void another_tenant_may_use_the_same_command_id(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);

	world_handle(world, &command);
	command.envelope.tenant_id = "u";
	assert_false(world_handle(world, &command)->repeat);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 2);
}

static void a_registry_that_fails_is_forwarded(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t");

	world->fake.error = -EIO;
	for (int operation = 0; operation < OPERATION_COUNT; operation++) {
		struct command command = world_command_on(world, (enum operation)operation, id);

		assert_null(world_handle(world, &command));
	}
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_repeated_read_reads_again),
		WORLD_TEST(refusals_change_only_the_receipt),
		WORLD_TEST(a_repeated_command_is_answered_again),
		WORLD_TEST(a_repeated_refusal_is_answered_again),
		WORLD_TEST(a_receipt_ends),
		WORLD_TEST(a_command_id_means_one_thing),
		WORLD_TEST(another_tenant_may_use_the_same_command_id),
		WORLD_TEST(a_registry_that_fails_is_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
