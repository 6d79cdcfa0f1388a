/* The limits of a tenant: the first one too many is refused, with the limit's key and number; the
 * others stay and work. */
#include "domain_world.h"
#include "unit.h"

static void assert_refused(const struct world *world, const struct analytic_event *outcome,
			   int status, enum tenant_limit limit, const char *max) {
	const struct problem_detail *detail;

	assert_int_equal(outcome->step, ANALYTIC_FAIL);
	assert_int_equal(outcome->status, status);
	assert_int_equal(outcome->data.problem->detail_count, 1);
	detail = outcome->data.problem->details;
	assert_string_equal(detail->param, tenant_limit_key(limit));
	assert_string_equal(detail->value, max);
	assert_string_equal(detail->location, "limits");
	if (!outcome->repeat)
		assert_int_equal(world->effects.reached, limit);
}

static int create(struct world *world, const char *tenant_id) {
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);

	command.envelope.tenant_id = tenant_id;
	return world_handle(world, &command)->status;
}

static struct command on(struct world *world, enum operation operation, const char *id) {
	struct command command = world_command(world, operation);

	command.id = id;
	return command;
}

static void webhooks(void **state) {
	struct world *world = *state;
	const char *first = world_create(world, "t");
	struct command refused, again;

	world->settings.tenant_max[TENANT_LIMIT_WEBHOOKS] = 2;
	assert_int_equal(create(world, "t"), 201);
	refused = world_command(world, OPERATION_CREATE_WEBHOOK);
	assert_refused(world, world_handle(world, &refused), 409, TENANT_LIMIT_WEBHOOKS, "2");
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 2);
	assert_int_equal(create(world, "another"), 201);

	/* With a limit below the present number, everything but one more still works. */
	world->settings.tenant_max[TENANT_LIMIT_WEBHOOKS] = 1;
	again = on(world, OPERATION_UPDATE_WEBHOOK, first);
	assert_int_equal(world_handle(world, &again)->status, 200);
	world->settings.tenant_max[TENANT_LIMIT_WEBHOOKS] = 2;
	again = on(world, OPERATION_DELETE_WEBHOOK, first);
	assert_int_equal(world_handle(world, &again)->status, 204);

	/* A repeat gets the answer that the command got, though there is room now. */
	assert_refused(world, world_handle(world, &refused), 409, TENANT_LIMIT_WEBHOOKS, "2");
	assert_int_equal(create(world, "t"), 201);
	assert_int_equal(create(world, "t"), 409);
}

static void signing_keys(void **state) {
	struct world *world = *state;
	struct command rotate;

	world->settings.tenant_max[TENANT_LIMIT_SIGNING_KEYS] = 3;
	for (int i = 0; i < 3; i++) {
		rotate = world_command(world, OPERATION_ROTATE_SIGNING_KEY);
		assert_int_equal(world_handle(world, &rotate)->status, 201);
	}
	rotate = world_command(world, OPERATION_ROTATE_SIGNING_KEY);
	assert_refused(world, world_handle(world, &rotate), 409, TENANT_LIMIT_SIGNING_KEYS, "3");
	/* Those that were replaced leave the JWKS, whether they were deleted yet or not. */
	world->now_ms += WORLD_OVERLAP_MS;
	rotate = world_command(world, OPERATION_ROTATE_SIGNING_KEY);
	assert_int_equal(world_handle(world, &rotate)->status, 201);
}

static void pending_deliveries(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t");
	struct command test = on(world, OPERATION_TEST_WEBHOOK, id),
		       recover = on(world, OPERATION_RECOVER_DELIVERIES, id);
	struct issuance issuance = world_issuance(world);

	world_create(world, "t");
	world->settings.tenant_max[TENANT_LIMIT_PENDING_DELIVERIES] = 10;
	world->pending_deliveries = 9;
	assert_refused(world, world_issue(world, &issuance), 429, TENANT_LIMIT_PENDING_DELIVERIES,
		       "10");
	assert_int_equal(fake_registry_count(&world->fake, STATE_DELIVERY), 0);
	assert_int_equal(world_handle(world, &test)->status, 202);
	world->pending_deliveries = 10;
	test = on(world, OPERATION_TEST_WEBHOOK, id);
	assert_refused(world, world_handle(world, &test), 429, TENANT_LIMIT_PENDING_DELIVERIES,
		       "10");
	/* Who asks for nothing is refused nothing. */
	assert_int_equal(world_handle(world, &recover)->status, 200);
	issuance = world_issuance(world);
	issuance.envelope.tenant_id = "without webhooks";
	assert_int_equal(world_issue(world, &issuance)->status, 200);
	world->pending_deliveries = 8;
	issuance = world_issuance(world);
	assert_int_equal(world_issue(world, &issuance)->status, 200);
}

/* As many as there is room for. */
static void recovery(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t");
	struct command recover = on(world, OPERATION_RECOVER_DELIVERIES, id);

	for (uint8_t n = 1; n <= 5; n++) {
		struct state_record dead = { .kind = STATE_DELIVERY,
					     .delivery = { .id = { { n } },
							   .tenant_id = "t",
							   .command_id = "c",
							   .event_type = EVENT_TYPE_WEBHOOK_TEST,
							   .body = "{}",
							   .body_len = 2,
							   .status = DELIVERY_DEAD } };
		struct effects effects;

		assert_int_equal(uuid_parse(id, &dead.delivery.webhook_id), 0);
		effects_init(&effects, world->arena);
		effects_put(&effects, &dead);
		fake_registry_apply(&world->fake, &effects);
	}
	world->settings.tenant_max[TENANT_LIMIT_PENDING_DELIVERIES] = 10;
	world->pending_deliveries = 8;
	assert_int_equal(world_handle(world, &recover)->data.recovered, 2);
	world->pending_deliveries = 10;
	recover = on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_refused(world, world_handle(world, &recover), 429, TENANT_LIMIT_PENDING_DELIVERIES,
		       "10");
	world->pending_deliveries = 0;
	recover = on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &recover)->data.recovered, 3);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = { WORLD_TEST(webhooks), WORLD_TEST(signing_keys),
					    WORLD_TEST(pending_deliveries), WORLD_TEST(recovery) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
