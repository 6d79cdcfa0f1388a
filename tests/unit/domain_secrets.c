/* Headers and signatures of webhooks, and the operations of their secrets. */
#include "domain/webhook_header.h"
#include "domain_world.h"
#include "unit.h"

#define KEY "__________________________________________8" /* 32 bytes of 0xff */
#define NAMED(names_, ...) .names = names_, .value = "v", .param = "headers[0].name", __VA_ARGS__
#define VALUE(value_, msg_)                                                                        \
	{ .names = "x-a", .value = value_, .param = "headers[0].value", .msg = msg_ }
#define RESERVED(name_)                                                                            \
	{ .names = name_,                                                                          \
	  .value = "v",                                                                            \
	  .param = "headers[0].name",                                                              \
	  .msg = "Is reserved",                                                                    \
	  .shown = name_ }
#define TOKEN "Must be a header's name: letters, digits and !#$%&'*+-.^_`|~"

/* A webhook whose one fault is the row's. */
static const struct row {
	const char *names; /* separated by blanks; NULL: no headers */
	const char *value; /* of each; NULL: none */
	const char *signatures;
	const char *param, *msg;
	const char *shown; /* the detail's value; NULL: none */
} rows[] = {
	{ NAMED("x:a", .msg = TOKEN, .shown = "x:a") },
	{ NAMED("x(a)", .msg = TOKEN, .shown = "x(a)") },
	{ NAMED("x\ta", .msg = TOKEN, .shown = "x\ta") },
	{ NAMED("x\r\na", .msg = TOKEN, .shown = "x\r\na") },
	{ NAMED("\xc3\xbc", .msg = TOKEN, .shown = "\xc3\xbc") },
	{ NAMED("a,b", .msg = TOKEN, .shown = "a,b") },
	{ .names = "x-a X-A",
	  .value = "v",
	  .param = "headers[1].name",
	  .msg = "Must not be repeated",
	  .shown = "X-A" },
	{ .names = "a b c d e f g h i",
	  .value = "v",
	  .param = "headers",
	  .msg = "Must be at most 8",
	  .shown = "9" },
	RESERVED("Host"),
	RESERVED("connection"),
	RESERVED("Keep-Alive"),
	RESERVED("proxy-authorization"),
	RESERVED("proxy-connection"),
	RESERVED("TE"),
	RESERVED("trailer"),
	RESERVED("Transfer-Encoding"),
	RESERVED("upgrade"),
	RESERVED("content-length"),
	RESERVED("Content-Type"),
	RESERVED("content-digest"),
	RESERVED("webhook-id"),
	RESERVED("Webhook-Signature"),
	RESERVED("signature"),
	RESERVED("Signature-Input"),
	RESERVED("posthorn-event-type"),
	RESERVED("expect"),
	RESERVED("user-agent"),
	RESERVED("traceparent"),
	VALUE("", "Must not be empty"),
	VALUE(NULL, "Must be given"),
	VALUE(" a", "Must not begin or end with a blank"),
	VALUE("a ", "Must not begin or end with a blank"),
	VALUE("\ta", "Must not begin or end with a blank"),
	VALUE(" ", "Must not begin or end with a blank"),
	VALUE("a\nb", "Must have no control characters but tabs"),
	VALUE("a\r\nx-b: c", "Must have no control characters but tabs"),
	VALUE("a\x7f", "Must have no control characters but tabs"),
	VALUE("\x01", "Must have no control characters but tabs"),
	{ .signatures = "rfc9422",
	  .param = "signatures[0]",
	  .msg = "Invalid value",
	  .shown = "rfc9422" },
	{ .signatures = "RFC9421",
	  .param = "signatures[0]",
	  .msg = "Invalid value",
	  .shown = "RFC9421" },
	{ .signatures = "rfc9421 rfc9421",
	  .param = "signatures[1]",
	  .msg = "Must not be repeated",
	  .shown = "rfc9421" },
	{ .signatures = "rfc9421 standard-webhooks standard-webhooks-hmac v1",
	  .param = "signatures[3]",
	  .msg = "Invalid value",
	  .shown = "v1" },
};

/* Splits at blanks. */
static const char **split(struct world *world, const char *text, size_t *count) {
	const char **out = arena_alloc(world->arena, (strlen(text) + 1) * sizeof(*out));
	char *rest = arena_strdup(world->arena, text);

	for (*count = 0; rest; (*count)++)
		out[*count] = strsep(&rest, " ");
	return out;
}

static void give_headers(struct world *world, struct command *command, const char *names,
			 const char *value) {
	const char **list = split(world, names, &command->header_count);

	command->headers =
	    arena_alloc(world->arena, command->header_count * sizeof(*command->headers));
	for (size_t i = 0; i < command->header_count; i++)
		command->headers[i] = (struct header_given){ list[i], value };
}

static void give_signatures(struct world *world, struct command *command, const char *names) {
	command->signatures = split(world, names, &command->signature_count);
}

static struct command with(struct world *world, enum operation operation, const char *id,
			   const char *names, const char *value, const char *signatures) {
	struct command command = world_command_on(world, operation, id);

	if (names)
		give_headers(world, &command, names, value);
	if (signatures)
		give_signatures(world, &command, signatures);
	return command;
}

static void check_detail(const struct analytic_event *outcome, const char *param, const char *msg,
			 const char *shown) {
	const struct problem *problem = outcome->data.problem;

	assert_int_equal(outcome->status, 400);
	if (problem->detail_count != 1)
		fail_msg("%s: %zu details", param, problem->detail_count);
	assert_string_equal(problem->details[0].param, param);
	assert_string_equal(problem->details[0].location, "body");
	assert_string_equal(problem->details[0].msg, msg);
	assert_string_equal(problem->details[0].value, shown ? shown : "");
}

static void every_row_is_refused(void **state) {
	struct world *world = *state;
	const char *id = world_create(world, "t");

	assert_true(ARRAY_LEN(rows) >= 30);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct command create = with(world, OPERATION_CREATE_WEBHOOK, NULL, row->names,
					     row->value, row->signatures),
			       update = with(world, OPERATION_UPDATE_WEBHOOK, id, row->names,
					     row->value, row->signatures);

		check_detail(world_handle(world, &create), row->param, row->msg, row->shown);
		check_detail(world_handle(world, &update), row->param, row->msg, row->shown);
	}
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 1);
}

static void lengths_have_bounds(void **state) {
	struct world *world = *state;
	struct command command = with(world, OPERATION_CREATE_WEBHOOK, NULL,
				      world_filled(world, WEBHOOK_HEADER_NAME_MAX),
				      world_filled(world, WEBHOOK_HEADER_VALUE_MAX), NULL);
	char *name = world_filled(world, WEBHOOK_HEADER_NAME_MAX + 1);

	assert_int_equal(world_handle(world, &command)->status, 201);
	command = with(world, OPERATION_CREATE_WEBHOOK, NULL, name, "v", NULL);
	check_detail(world_handle(world, &command), "headers[0].name", "Must be at most 128 bytes",
		     name);
	command = with(world, OPERATION_CREATE_WEBHOOK, NULL, "a",
		       world_filled(world, WEBHOOK_HEADER_VALUE_MAX + 1), NULL);
	check_detail(world_handle(world, &command), "headers[0].value",
		     "Must be at most 4096 bytes", NULL);
	command = with(world, OPERATION_CREATE_WEBHOOK, NULL, "a", "a\tb c\xc3\xbc", NULL);
	assert_int_equal(world_handle(world, &command)->status, 201);
	command = with(world, OPERATION_CREATE_WEBHOOK, NULL, "", "v", NULL);
	check_detail(world_handle(world, &command), "headers[0].name", "Must not be empty", NULL);
}

static const char *id_of(struct world *world, const struct analytic_event *outcome) {
	char id[UUID_TEXT_SIZE];

	uuid_format(&outcome->data.webhook.id, id);
	return arena_strdup(world->arena, id);
}

/* What the changelog has of the webhook that the last command put. */
static const struct webhook *put(const struct world *world) {
	for (size_t i = 0; i < world->effects.change_count; i++)
		if (world->effects.changes[i].key.kind == STATE_WEBHOOK)
			return &world->effects.changes[i].record->webhook;
	fail_msg("no webhook was put");
	return NULL;
}

static void an_update_keeps_the_values_that_it_leaves_out(void **state) {
	struct world *world = *state;
	struct command command =
	    with(world, OPERATION_CREATE_WEBHOOK, NULL, "a x-b", "s3cret", NULL);
	const char *id = id_of(world, world_handle(world, &command));

	assert_memory_equal(put(world)->headers[1].sealed, "terc3s", 6);
	command = with(world, OPERATION_UPDATE_WEBHOOK, id, "X-B c", NULL, NULL);
	command.headers[1].value = "!new";
	assert_int_equal(world_handle(world, &command)->status, 200);
	assert_int_equal(put(world)->header_count, 2);
	assert_string_equal(put(world)->headers[0].name, "X-B");
	assert_memory_equal(put(world)->headers[0].sealed, "terc3s", 6);
	assert_memory_equal(put(world)->headers[1].sealed, "wen!", 4);

	command = with(world, OPERATION_UPDATE_WEBHOOK, id, "a", NULL, NULL);
	check_detail(world_handle(world, &command), "headers[0].value", "Must be given", NULL);
	command = with(world, OPERATION_UPDATE_WEBHOOK, id, NULL, NULL, NULL);
	assert_int_equal(world_handle(world, &command)->status, 200);
	assert_int_equal(put(world)->header_count, 0);
}

static void a_value_that_does_not_open_is_asked_for(void **state) {
	struct world *world = *state;
	struct command command = with(world, OPERATION_CREATE_WEBHOOK, NULL, "a", "damaged!", NULL);
	const char *id = id_of(world, world_handle(world, &command));

	command = with(world, OPERATION_UPDATE_WEBHOOK, id, "a", NULL, NULL);
	check_detail(world_handle(world, &command), "headers[0].value",
		     "Must be given: the one that the webhook has cannot be opened", NULL);
}

/* A guess of a value could be tried against a receipt that has its hash. */
static void a_receipt_has_nothing_of_a_value(void **state) {
	struct world *world = *state;
	struct command command = with(world, OPERATION_CREATE_WEBHOOK, NULL, "a", "one", NULL);

	assert_int_equal(world_handle(world, &command)->status, 201);
	command.headers[0].value = "two";
	assert_true(world_handle(world, &command)->repeat);
	command.headers[0].name = "b";
	assert_int_equal(world_handle(world, &command)->status, 409);
}

#define HMAC "rfc9421 standard-webhooks-hmac"

static struct command ask(struct world *world, const char *id) {
	struct command command = world_command_on(world, OPERATION_RETRIEVE_SECRET, id);

	command.public_key = KEY;
	return command;
}

static void a_secret_is_told_and_leaves_no_receipt(void **state) {
	struct world *world = *state;
	struct command command = with(world, OPERATION_CREATE_WEBHOOK, NULL, NULL, NULL, HMAC);
	const struct analytic_event *outcome = world_handle(world, &command);
	const char *id = id_of(world, outcome);

	assert_int_equal(outcome->data.webhook.signature_count, 2);
	assert_string_equal(put(world)->secret_master_key_id, "master");
	command = ask(world, id);
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_SECRET_RETRIEVE_SUCCESS", 200);
	assert_string_equal(outcome->data.secret.secret, "sealed-0");
	assert_int_equal(outcome->data.secret.epoch, 1);
	assert_int_equal(world->effects.change_count, 0);
}

static void a_secret_is_replaced(void **state) {
	struct world *world = *state;
	struct command command = with(world, OPERATION_CREATE_WEBHOOK, NULL, NULL, NULL, HMAC);
	const char *id = id_of(world, world_handle(world, &command));
	const struct analytic_event *outcome;

	command = world_command_on(world, OPERATION_ROTATE_SECRET, id);
	outcome = world_handle(world, &command);
	world_assert_outcome(outcome, "WEBHOOK_SECRET_ROTATE_SUCCESS", 201);
	assert_null(outcome->data.secret.secret);
	assert_int_equal(outcome->data.secret.epoch, 2);
	assert_int_equal(outcome->data.secret.overlap_until_ms, world->now_ms + WORLD_OVERLAP_MS);
	assert_int_equal(put(world)->secret_epoch, 1);
	assert_string_equal(put(world)->former_secret_master_key_id, "master");
	assert_true(world_handle(world, &command)->repeat);

	/* An update keeps it, also where it does not sign with it for a while. */
	command = with(world, OPERATION_UPDATE_WEBHOOK, id, NULL, NULL, NULL);
	assert_int_equal(world_handle(world, &command)->status, 200);
	command = ask(world, id);
	assert_int_equal(world_handle(world, &command)->status, 409);
	command = with(world, OPERATION_UPDATE_WEBHOOK, id, NULL, NULL, HMAC);
	assert_int_equal(world_handle(world, &command)->status, 200);
	assert_int_equal(put(world)->secret_epoch, 1);
	command = ask(world, id);
	assert_string_equal(world_handle(world, &command)->data.secret.secret, "sealed-1");

	world->settings.webhook_secret_overlap_ms = 0;
	command = world_command_on(world, OPERATION_ROTATE_SECRET, id);
	assert_int_equal(world_handle(world, &command)->data.secret.overlap_until_ms, 0);
}

static void a_webhook_without_hmac_has_no_secret(void **state) {
	static const enum operation operations[] = { OPERATION_RETRIEVE_SECRET,
						     OPERATION_ROTATE_SECRET };
	struct world *world = *state;
	const char *id = world_create(world, "t");

	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		struct command command = world_command_on(world, operations[i], id);

		command.public_key = KEY;
		assert_int_equal(world_handle(world, &command)->status, 409);
		command =
		    world_command_on(world, operations[i], "00000000-0000-4000-8000-000000000000");
		command.public_key = KEY;
		assert_int_equal(world_handle(world, &command)->status, 404);
	}
}

static void a_public_key_is_32_bytes(void **state) {
	static const char *const wrong[] = {
		NULL, "", "AAAA", KEY "A", KEY "=", "_+________________________________________8"
	};
	struct world *world = *state;
	struct command command = with(world, OPERATION_CREATE_WEBHOOK, NULL, NULL, NULL, HMAC);
	const char *id = id_of(world, world_handle(world, &command));

	command = ask(world, id);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		command.public_key = wrong[i];
		check_detail(world_handle(world, &command), "publicKey",
			     "Must be 32 bytes as base64url without padding", wrong[i]);
	}
	/* It seals nothing. */
	command.public_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	check_detail(world_handle(world, &command), "publicKey", "Invalid value",
		     command.public_key);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_row_is_refused),
		TEST(lengths_have_bounds),
		TEST(an_update_keeps_the_values_that_it_leaves_out),
		TEST(a_value_that_does_not_open_is_asked_for),
		TEST(a_receipt_has_nothing_of_a_value),
		TEST(a_secret_is_told_and_leaves_no_receipt),
		TEST(a_secret_is_replaced),
		TEST(a_webhook_without_hmac_has_no_secret),
		TEST(a_public_key_is_32_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
