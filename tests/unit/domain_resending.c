/* Deliveries that are sent again: one by its id, or a webhook's ended ones in turns. */
#include "domain/command_run.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

#define ISSUED(credential)                                                                         \
	"{\"event\":{\"payload\":{\"userId\":\"u\",\"credentialId\":\"" credential "\"}}}"

/* A delivery of the webhook, that is due or ended at `at_ms`. */
static void add(struct world *world, const char *webhook_id, int number,
		enum delivery_status status, int64_t at_ms) {
	static const char *const bodies[] = { ISSUED("c-0"), ISSUED("c-1") };
	struct state_record record = {
		.kind = STATE_DELIVERY,
		.delivery = { .id = { { (uint8_t)number } },
			      .tenant_id = "t",
			      .command_id = "c",
			      .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
			      .body = bodies[number % 2],
			      .body_len = strlen(bodies[number % 2]),
			      .status = status,
			      .attempts = 3,
			      .last_status = 500,
			      .last_reason = "status-500",
			      .next_attempt_at_ms = at_ms },
	};
	struct effects effects;

	assert_int_equal(uuid_parse(webhook_id, &record.delivery.webhook_id), 0);
	effects_init(&effects, world->arena);
	effects_put(&effects, &record);
	fake_registry_apply(&world->fake, &effects);
}

static struct delivery *stored(struct world *world, int number) {
	struct state_key key = { .kind = STATE_DELIVERY, .id = { { (uint8_t)number } } };

	return &fake_registry_find(&world->fake, &key)->delivery;
}

#define ID "01000000-0000-0000-0000-000000000000"

static void one_is_sent_again(void **state) {
	static const struct {
		const char *name;
		enum delivery_status status;
		int64_t in_ms; /* when it is due, from now on */
		int attempts;  /* after it; -1: it stays as it is */
	} rows[] = {
		{ "pending, due later", DELIVERY_PENDING, 5000, 3 },
		{ "pending, due now", DELIVERY_PENDING, 0, -1 },
		{ "pending, due before", DELIVERY_PENDING, -5000, -1 },
		{ "dead", DELIVERY_DEAD, -5000, 0 },
		{ "succeeded", DELIVERY_SUCCEEDED, -5000, 0 },
	};
	struct world *world = *state;
	const char *webhook = world_create(world, "t");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct command command = world_command_on(world, OPERATION_RESEND_DELIVERY, ID);
		const struct analytic_event *outcome, *told;
		const struct delivery *after;

		print_message("%s\n", rows[i].name);
		add(world, webhook, 1, rows[i].status, world->now_ms + rows[i].in_ms);
		outcome = world_handle(world, &command);
		world_assert_outcome(outcome, "WEBHOOK_DELIVERY_RESEND_SUCCESS", 202);
		assert_int_equal(outcome->data.delivery.delivery_id.bytes[0], 1);
		after = stored(world, 1);
		assert_int_equal(after->status, DELIVERY_PENDING);
		if (rows[i].attempts < 0) {
			assert_int_equal(world->effects.event_count, 2);
			assert_true(world->effects.is_asked_for);
			assert_int_equal(world->effects.changes[0].key.kind, STATE_DELIVERY);
			assert_int_equal(after->next_attempt_at_ms, world->now_ms + rows[i].in_ms);
			continue;
		}
		assert_int_equal(after->next_attempt_at_ms, world->now_ms);
		assert_int_equal(after->attempts, rows[i].attempts);
		assert_int_equal(after->last_status, rows[i].attempts ? 500 : 0);
		assert_non_null(after->body);
		told = &world->effects.events[2];
		assert_string_equal(analytic_event_type(told->subject, told->step),
				    "WEBHOOK_EVENT_RESEND");
		assert_string_equal(told->command_id, "c");
		assert_int_equal(told->data.delivery.attempt, rows[i].attempts);
		assert_int_equal(told->data.delivery.next_attempt_at_ms, world->now_ms);
		assert_string_equal(told->data.delivery.subject, "c-1");
	}
}

/* The answer to a resending of the delivery `id`, which is a refusal that names it so. */
static void refuses(struct world *world, const char *id, int status, const char *msg) {
	struct command command = world_command_on(world, OPERATION_RESEND_DELIVERY, id);
	const struct analytic_event *outcome = world_handle(world, &command);

	world_assert_outcome(outcome, "WEBHOOK_DELIVERY_RESEND_FAIL", status);
	assert_int_equal(outcome->data.problem->detail_count, 1);
	assert_string_equal(outcome->data.problem->details[0].msg, msg);
}

static void what_cannot_be_sent_again_is_refused(void **state) {
	struct world *world = *state;
	const char *webhook = world_create(world, "t"), *gone = world_create(world, "t");
	struct command command;

	refuses(world, ID, 404, "Not found");
	refuses(world, "x", 400, "Invalid value");
	add(world, webhook, 1, DELIVERY_DEAD, 1);
	stored(world, 1)->tenant_id = "another";
	refuses(world, ID, 404, "Not found");
	add(world, gone, 1, DELIVERY_DEAD, 1);
	command = world_command_on(world, OPERATION_UPDATE_WEBHOOK, gone);
	command.disabled = true;
	world_handle(world, &command);
	refuses(world, ID, 409, "Must be to a webhook that is not disabled");
	command = world_command_on(world, OPERATION_DELETE_WEBHOOK, gone);
	world_handle(world, &command);
	refuses(world, ID, 409, "Must be to a webhook that is there");
	add(world, webhook, 1, DELIVERY_DEAD, 1);
	world->settings.tenant_max[TENANT_LIMIT_PENDING_DELIVERIES] = 5;
	world->pending_deliveries = 5;
	refuses(world, ID, 429, "Is the maximum number of a tenant's pending deliveries");
	world->edition = GROUP_EDITION_SOME_OLDER;
	world->older_workers = "worker-1";
	refuses(world, ID, 503, "Are of an older release");
	assert_int_equal(stored(world, 1)->status, DELIVERY_DEAD);
}

static void a_recovery_chooses(void **state) {
	static const struct {
		const char *name;
		int64_t since_ms, until_ms; /* until_ms -1: none */
		const char *subject, *status;
		int32_t recovered; /* of dead 1 to 4, which died at 1000 to 4000, and succeeded 5 */
	} rows[] = {
		{ "all dead ones", 0, -1, NULL, NULL, 4 },
		{ "said so", 0, -1, NULL, "dead", 4 },
		{ "since", 2000, -1, NULL, NULL, 3 },
		{ "until", 0, 3000, NULL, NULL, 3 },
		{ "until 1970", 0, 0, NULL, NULL, 0 },
		{ "both", 2000, 3000, NULL, NULL, 2 },
		{ "a subject", 0, -1, "c-1", NULL, 2 },
		{ "a subject that is not there", 0, -1, "c-9", NULL, 0 },
		{ "those that succeeded", 0, -1, NULL, "succeeded", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct command command;
		struct world *world;
		const char *id;
		void *fresh;

		print_message("%s\n", rows[i].name);
		world_setup(&fresh);
		world = fresh;
		id = world_create(world, "t");
		for (uint8_t number = 1; number <= 4; number++)
			add(world, id, number, DELIVERY_DEAD, number * 1000);
		add(world, id, 5, DELIVERY_SUCCEEDED, 5000);
		command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
		command.since_ms = rows[i].since_ms;
		command.has_until = rows[i].until_ms >= 0;
		command.until_ms = rows[i].until_ms;
		command.subject = rows[i].subject;
		command.status = rows[i].status;
		assert_int_equal(world_handle(world, &command)->data.recovered, rows[i].recovered);
		assert_int_equal(world->effects.event_count, 2 + rows[i].recovered);
		world_teardown(&fresh);
	}
	(void)state;
}

static void wrong_choices_are_named(void **state) {
	struct world *world = *state;
	struct command command =
	    world_command_on(world, OPERATION_RECOVER_DELIVERIES, world_create(world, "t"));
	const struct analytic_event *outcome;

	command.since_ms = 5;
	command.has_until = true; /* 1970 */
	command.subject = "";
	command.status = "pending";
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_RECOVER_FAIL", 400);
	assert_int_equal(outcome->data.problem->detail_count, 3);
	assert_string_equal(outcome->data.problem->details[0].param, "until");
	assert_string_equal(outcome->data.problem->details[0].msg, "Must not be before since");
	assert_string_equal(outcome->data.problem->details[1].param, "subject");
	assert_string_equal(outcome->data.problem->details[2].param, "status");
}

/* What a worker of the first edition could not read is refused; what one turn bears is done. */
static void an_older_worker_is_heeded(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t");
	struct command command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);

	add(world, id, 1, DELIVERY_DEAD, 1000);
	world->edition = GROUP_EDITION_SOME_OLDER;
	world->older_workers = "worker-1";
	command.has_until = true;
	command.until_ms = 2000;
	world_assert_outcome(world_handle(world, &command), "WEBHOOK_RECOVER_FAIL", 503);
	command = world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &command)->data.recovered, 1);
}

enum { MANY = 7, BYTES = RECOVER_BYTES_MAX / 2 };

/* Two of them fill a turn. */
static struct command begin_many(struct world *world) {
	const char *id = world_create(world, "t");

	for (int number = 1; number <= MANY; number++) {
		add(world, id, number, DELIVERY_DEAD, number * 1000);
		stored(world, number)->body_len = BYTES;
	}
	world->may_resume = true;
	return world_command_on(world, OPERATION_RECOVER_DELIVERIES, id);
}

static int32_t told_so_far(struct world *world, const struct command *command) {
	struct command again = *command;
	const struct analytic_event *outcome;

	again.resume_ms = 0;
	outcome = world_handle(world, &again);
	assert_true(outcome->repeat);
	assert_int_equal(world->effects.change_count, 0);
	return outcome->status == COMMAND_UNDERWAY ? outcome->data.recovered : -1;
}

/* START is told in the first turn, the answer in the last one, each delivery in its own. */
static void a_recovery_goes_on_until_it_is_done(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);
	const struct analytic_event *last;
	int turns = 0;

	do {
		world_run(world, &command);
		turns++;
		last = &world->effects.events[world->effects.event_count - 1];
		assert_int_equal(world->effects.events[0].step, turns == 1 ? ANALYTIC_START
								: world->effects.resume_ms
								    ? ANALYTIC_RESEND
								    : ANALYTIC_SUCCESS);
		assert_int_equal(last->step, ANALYTIC_RESEND);
		command.resume_ms = world->effects.resume_ms;
		if (command.resume_ms) {
			assert_int_equal(command.resume_ms, (turns * 2 + 1) * 1000);
			assert_int_equal(told_so_far(world, &command), turns * 2);
		}
	} while (command.resume_ms);
	assert_int_equal(turns, 4);
	assert_int_equal(world->effects.events[0].status, 200);
	assert_int_equal(world->effects.events[0].data.recovered, MANY);
	assert_int_equal(told_so_far(world, &command), -1);
	for (int number = 1; number <= MANY; number++)
		assert_int_equal(stored(world, number)->status, DELIVERY_PENDING);
}

/* The outcome of the command's turn: the first event of a later one. */
static const struct analytic_event *run_turn(struct world *world, const struct command *command) {
	world_run(world, command);
	return &world->effects.events[command->resume_ms ? 0 : 1];
}

static void assert_detail(const struct analytic_event *outcome, const char *param,
			  const char *value) {
	assert_int_equal(outcome->data.problem->detail_count, 1);
	assert_string_equal(outcome->data.problem->details[0].param, param);
	assert_string_equal(outcome->data.problem->details[0].value, value);
}

/* 200 says that all are due: where the first turn cannot be the last, and no other may follow, it
 * does nothing. */
static void what_may_not_go_on_is_refused(void **state) {
	static const struct {
		const char *name;
		bool may_resume;
		enum group_edition edition;
		const char *param, *value; /* NULL: it goes on */
	} rows[] = {
		{ "without the right", false, GROUP_EDITION_NEWEST, "Write", "webhook-admin" },
		{ "beside an older worker", true, GROUP_EDITION_SOME_OLDER, "workers", "worker-1" },
		{ "with the right", true, GROUP_EDITION_NEWEST, NULL, NULL },
	};
	struct world *world = *state;
	struct command command = begin_many(world);

	world->older_workers = "worker-1";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct analytic_event *outcome;

		print_message("%s\n", rows[i].name);
		world->may_resume = rows[i].may_resume;
		world->edition = rows[i].edition;
		outcome = run_turn(world, &command);
		assert_int_equal(stored(world, 1)->status,
				 rows[i].param ? DELIVERY_DEAD : DELIVERY_PENDING);
		if (!rows[i].param)
			continue;
		world_assert_outcome(outcome, "WEBHOOK_RECOVER_FAIL", 503);
		assert_detail(outcome, rows[i].param, rows[i].value);
		assert_int_equal(world->effects.change_count, 0);
	}
}

/* With a subject that none of those has that a turn looks at. */
static void what_was_not_looked_at_is_not_left_out(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);

	command.subject = "c-9";
	world->may_resume = false;
	world_assert_outcome(run_turn(world, &command), "WEBHOOK_RECOVER_FAIL", 503);
	for (int number = 1; number < MANY; number++)
		stored(world, number)->body_len = 1;
	world_assert_outcome(run_turn(world, &command), "WEBHOOK_RECOVER_SUCCESS", 200);
}

/* The right is taken away meanwhile, or an older worker comes: what was done stays, and the same
 * command begins again. */
static void one_that_may_not_go_on_any_more_is_refused(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);
	const struct analytic_event *outcome;

	world_run(world, &command);
	command.resume_ms = world->effects.resume_ms;
	assert_int_not_equal(command.resume_ms, 0);
	world->may_resume = false;
	outcome = run_turn(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_RECOVER_FAIL", 503);
	assert_detail(outcome, "Write", "webhook-admin");
	assert_non_null(strstr(outcome->data.problem->message, "first 2 deliveries were made due"));
	assert_int_equal(world->effects.event_count, 1);
	world->may_resume = true;
	command.resume_ms = 0;
	do {
		outcome = run_turn(world, &command);
		command.resume_ms = world->effects.resume_ms;
	} while (command.resume_ms);
	world_assert_outcome(outcome, "WEBHOOK_RECOVER_SUCCESS", 200);
	assert_int_equal(outcome->data.recovered, MANY - 2);
}

static void one_whose_webhook_is_disabled_meanwhile_is_refused(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);
	struct command update = world_command_on(world, OPERATION_UPDATE_WEBHOOK, command.id);
	const struct analytic_event *outcome;

	world_run(world, &command);
	command.resume_ms = world->effects.resume_ms;
	update.disabled = true;
	world_handle(world, &update);
	outcome = run_turn(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_RECOVER_FAIL", 409);
	assert_non_null(strstr(outcome->data.problem->message, "first 2 deliveries were made due"));
	assert_int_equal(told_so_far(world, &command), -1);
}

/* Where receipt.retention is over before the next turn. */
static void a_recovery_outlasts_the_retention_of_receipts(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);
	struct state_key key = { .kind = STATE_RECEIPT,
				 .tenant_id = "t",
				 .name = command.envelope.command_id };
	int turns = 0;

	world->settings.receipt_retention_ms = 1000;
	do {
		world_run(world, &command);
		assert_int_equal(world->effects.events[0].step == ANALYTIC_START, turns == 0);
		command.resume_ms = world->effects.resume_ms;
		world->now_ms += COMMAND_UNDERWAY_FOR_MS - 1;
	} while (++turns < MANY && command.resume_ms);
	assert_int_equal(turns, 4);
	assert_int_equal(world->effects.events[0].data.recovered, MANY);
	assert_true(fake_registry_find(&world->fake, &key)->receipt.expires_at_ms < world->now_ms);
}

/* One that dies again meanwhile is not its concern. */
static void a_recovery_ends_though_they_die_again(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);

	for (int turns = 0; turns < MANY; turns++) {
		world_run(world, &command);
		command.resume_ms = world->effects.resume_ms;
		if (!command.resume_ms)
			break;
		world->now_ms += 100;
		for (int number = 1; number <= MANY; number++)
			if (stored(world, number)->status == DELIVERY_PENDING) {
				stored(world, number)->status = DELIVERY_DEAD;
				stored(world, number)->next_attempt_at_ms = world->now_ms;
			}
	}
	assert_int_equal(command.resume_ms, 0);
	assert_int_equal(world->effects.events[0].data.recovered, MANY);
}

static void a_recovery_is_refused_where_there_is_no_more_room(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);

	world->settings.tenant_max[TENANT_LIMIT_PENDING_DELIVERIES] = 10;
	world->pending_deliveries = 8;
	world_run(world, &command);
	command.resume_ms = world->effects.resume_ms;
	assert_int_not_equal(command.resume_ms, 0);
	world->pending_deliveries = 10;
	world_run(world, &command);
	assert_int_equal(world->effects.event_count, 1);
	world_assert_outcome(&world->effects.events[0], "WEBHOOK_RECOVER_FAIL", 429);
	assert_detail(&world->effects.events[0], "tenant.max.pending.deliveries", "10");
	assert_non_null(strstr(world->effects.events[0].data.problem->message,
			       "first 2 deliveries were made due"));
	assert_int_equal(world->effects.reached, TENANT_LIMIT_PENDING_DELIVERIES);
}

/* A header that nobody of us wrote is not believed: the receipt says whether it goes on. */
static void a_command_that_only_claims_to_go_on_begins(void **state) {
	struct world *world = *state;
	struct command command = begin_many(world);

	command.resume_ms = 6000;
	world_run(world, &command);
	assert_int_equal(world->effects.events[0].step, ANALYTIC_START);
	assert_int_equal(world->effects.resume_ms, 3000);
	assert_int_equal(stored(world, 1)->status, DELIVERY_PENDING);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WORLD_TEST(one_is_sent_again),
		WORLD_TEST(what_cannot_be_sent_again_is_refused),
		cmocka_unit_test(a_recovery_chooses),
		WORLD_TEST(wrong_choices_are_named),
		WORLD_TEST(an_older_worker_is_heeded),
		WORLD_TEST(a_recovery_goes_on_until_it_is_done),
		WORLD_TEST(a_recovery_ends_though_they_die_again),
		WORLD_TEST(a_recovery_outlasts_the_retention_of_receipts),
		WORLD_TEST(what_may_not_go_on_is_refused),
		WORLD_TEST(what_was_not_looked_at_is_not_left_out),
		WORLD_TEST(one_that_may_not_go_on_any_more_is_refused),
		WORLD_TEST(one_whose_webhook_is_disabled_meanwhile_is_refused),
		WORLD_TEST(a_recovery_is_refused_where_there_is_no_more_room),
		WORLD_TEST(a_command_that_only_claims_to_go_on_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
