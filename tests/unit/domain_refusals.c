/* Refusals: the status, and a detail for every fault. They change nothing but the receipt. */
#include "base/utf8.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

#define NOBODY "00000000-0000-4000-8000-000000000000"
#define ISSUED "OpenIdCredentialIssued"
#define SUMMARY "OpenIdCredentialIssuedSummary"
#define INVALID "Invalid value"

struct detail {
	const char *param, *location, *value, *msg; /* msg NULL: any */
};

/* A command whose one fault is the row's. */
struct row {
	const char *name;
	enum operation operation;
	const char *id;
	const char *events[4]; /* none: one good one */
	bool no_events;
	const char *url; /* NULL: a good one */
	bool has_limit;
	int32_t limit;
	const char *cursor;
	int64_t since_ms;
	int64_t timestamp_ms;
	int status;
	struct detail details[5];
};

#define URL(value_) .url = value_, .status = 400, .details = { { "url", "body", value_, NULL } }
#define ID(value_, status_, msg_)                                                                  \
	.id = value_, .status = status_, .details = { { "id", "params", value_, msg_ } }
#define CURSOR(value_)                                                                             \
	.cursor = value_, .status = 400, .details = { { "cursor", "query", value_, INVALID } }
#define LIMIT(value_, text_)                                                                       \
	.has_limit = true, .limit = value_, .status = 400,                                         \
	.details = { { "limit", "query", text_, "Must be between 1 and 1000" } }

static const struct row rows[] = {
	{ "url empty", OPERATION_CREATE_WEBHOOK, URL("") },
	{ "url not a url", OPERATION_CREATE_WEBHOOK, URL("not a url") },
	{ "url relative", OPERATION_CREATE_WEBHOOK, URL("/hook") },
	{ "url without scheme", OPERATION_CREATE_WEBHOOK, URL("example.com/hook") },
	{ "url http", OPERATION_CREATE_WEBHOOK, URL("http://example.com/") },
	{ "url ftp", OPERATION_CREATE_WEBHOOK, URL("ftp://example.com/") },
	{ "url without host", OPERATION_CREATE_WEBHOOK, URL("https:///hook") },
	{ "url with user", OPERATION_CREATE_WEBHOOK, URL("https://user@example.com/") },
	{ "url with empty user", OPERATION_CREATE_WEBHOOK, URL("https://@example.com/") },
	{ "url with fragment", OPERATION_CREATE_WEBHOOK, URL("https://example.com/#a") },
	{ "url port zero", OPERATION_CREATE_WEBHOOK, URL("https://example.com:0/") },
	{ "url port too large", OPERATION_CREATE_WEBHOOK, URL("https://example.com:65536/") },
	{ "url address", OPERATION_CREATE_WEBHOOK, URL("https://10.0.0.1/") },
	{ "url address as a number", OPERATION_CREATE_WEBHOOK, URL("https://2130706433/") },
	{ "url IPv6", OPERATION_CREATE_WEBHOOK, URL("https://[::1]/") },
	{ "url zone", OPERATION_CREATE_WEBHOOK, URL("https://[fe80::1%25eth0]/") },
	{ "url space in host", OPERATION_CREATE_WEBHOOK, URL("https://exa mple.com/") },
	{ "url line break", OPERATION_CREATE_WEBHOOK, URL("https://example.com/\r\nHost: a") },
	{ "url broken percent", OPERATION_CREATE_WEBHOOK, URL("https://example.com/%zz") },
	{ "url IDNA", OPERATION_CREATE_WEBHOOK, URL("https://xn--a.example/") },
	{ "update url http", OPERATION_UPDATE_WEBHOOK, .id = NOBODY, URL("http://example.com/") },
	{ "update url empty", OPERATION_UPDATE_WEBHOOK, .id = NOBODY, URL("") },

	{ "events none", OPERATION_CREATE_WEBHOOK, .no_events = true, .status = 400,
	  .details = { { "events", "body", "", "Must name at least one event type" } } },
	{ "update events none", OPERATION_UPDATE_WEBHOOK, .id = NOBODY, .no_events = true,
	  .status = 400,
	  .details = { { "events", "body", "", "Must name at least one event type" } } },
	{ "events unknown", OPERATION_CREATE_WEBHOOK, .events = { "Nothing" }, .status = 400,
	  .details = { { "events[0]", "body", "Nothing", INVALID } } },
	{ "events empty name", OPERATION_CREATE_WEBHOOK, .events = { "" }, .status = 400,
	  .details = { { "events[0]", "body", "", INVALID } } },
	{ "events wrong case", OPERATION_CREATE_WEBHOOK, .events = { "openidcredentialissued" },
	  .status = 400,
	  .details = { { "events[0]", "body", "openidcredentialissued", INVALID } } },
	{ "events trailing space", OPERATION_CREATE_WEBHOOK, .events = { ISSUED " " },
	  .status = 400, .details = { { "events[0]", "body", ISSUED " ", INVALID } } },
	{ "events not subscribable", OPERATION_CREATE_WEBHOOK, .events = { "WebhookTest" },
	  .status = 400, .details = { { "events[0]", "body", "WebhookTest", INVALID } } },
	{ "events second unknown", OPERATION_CREATE_WEBHOOK, .events = { ISSUED, "Nothing" },
	  .status = 400, .details = { { "events[1]", "body", "Nothing", INVALID } } },
	{ "events repeated", OPERATION_CREATE_WEBHOOK, .events = { ISSUED, SUMMARY, ISSUED },
	  .status = 400, .details = { { "events[2]", "body", ISSUED, "Must not be repeated" } } },
	{ "events repeated and unknown", OPERATION_CREATE_WEBHOOK,
	  .events = { ISSUED, ISSUED, "A", "A" }, .status = 400,
	  .details = { { "events[1]", "body", ISSUED, "Must not be repeated" },
		       { "events[2]", "body", "A", INVALID },
		       { "events[3]", "body", "A", INVALID } } },
	{ "everything of a create", OPERATION_CREATE_WEBHOOK, .events = { "A" }, .url = "nowhere",
	  .status = 400,
	  .details = { { "events[0]", "body", "A", INVALID },
		       { "url", "body", "nowhere", "Must be an absolute https url" } } },
	{ "everything of an update", OPERATION_UPDATE_WEBHOOK, .id = "x", .no_events = true,
	  .url = "nowhere", .status = 400,
	  .details = { { "id", "params", "x", INVALID },
		       { "events", "body", "", NULL },
		       { "url", "body", "nowhere", "Must be an absolute https url" } } },
	{ "everything of a recover", OPERATION_RECOVER_DELIVERIES, .id = "x", .since_ms = -1,
	  .status = 400,
	  .details = { { "since", "body", "-1", NULL }, { "id", "params", "x", INVALID } } },

	{ "get id missing", OPERATION_RETRIEVE_WEBHOOK, .status = 400,
	  .details = { { "id", "params", "", INVALID } } },
	{ "get id empty", OPERATION_RETRIEVE_WEBHOOK, ID("", 400, INVALID) },
	{ "get id short", OPERATION_RETRIEVE_WEBHOOK, ID("1", 400, INVALID) },
	{ "get id braces", OPERATION_RETRIEVE_WEBHOOK, ID("{" NOBODY "}", 400, INVALID) },
	{ "get id without hyphens", OPERATION_RETRIEVE_WEBHOOK,
	  ID("00000000000040008000000000000000", 400, INVALID) },
	{ "get id and more", OPERATION_RETRIEVE_WEBHOOK, ID(NOBODY "0", 400, INVALID) },
	{ "get id space", OPERATION_RETRIEVE_WEBHOOK, ID(" " NOBODY, 400, INVALID) },
	{ "get id not hex", OPERATION_RETRIEVE_WEBHOOK,
	  ID("0000000g-0000-4000-8000-000000000000", 400, INVALID) },
	{ "get id urn", OPERATION_RETRIEVE_WEBHOOK, ID("urn:uuid:" NOBODY, 400, INVALID) },
	{ "get id unknown", OPERATION_RETRIEVE_WEBHOOK, ID(NOBODY, 404, "Not found") },
	{ "get id unknown, as it came", OPERATION_RETRIEVE_WEBHOOK,
	  ID("0000000A-0000-4000-8000-000000000000", 404, "Not found") },
	{ "update id short", OPERATION_UPDATE_WEBHOOK, ID("1", 400, INVALID) },
	{ "update id unknown", OPERATION_UPDATE_WEBHOOK, ID(NOBODY, 404, "Not found") },
	{ "delete id short", OPERATION_DELETE_WEBHOOK, ID("1", 400, INVALID) },
	{ "delete id unknown", OPERATION_DELETE_WEBHOOK, ID(NOBODY, 404, "Not found") },
	{ "test id short", OPERATION_TEST_WEBHOOK, ID("1", 400, INVALID) },
	{ "test id unknown", OPERATION_TEST_WEBHOOK, ID(NOBODY, 404, "Not found") },
	{ "recover id short", OPERATION_RECOVER_DELIVERIES, ID("1", 400, INVALID) },
	{ "recover id unknown", OPERATION_RECOVER_DELIVERIES, ID(NOBODY, 404, "Not found") },
	{ "recover since before time", OPERATION_RECOVER_DELIVERIES, .id = NOBODY, .since_ms = -1,
	  .status = 400, .details = { { "since", "body", "-1", "Must not be before 1970" } } },

	{ "limit 0", OPERATION_RETRIEVE_WEBHOOKS, LIMIT(0, "0") },
	{ "limit -1", OPERATION_RETRIEVE_WEBHOOKS, LIMIT(-1, "-1") },
	{ "limit 1001", OPERATION_RETRIEVE_WEBHOOKS, LIMIT(1001, "1001") },
	{ "limit huge", OPERATION_RETRIEVE_WEBHOOKS, LIMIT(INT32_MAX, "2147483647") },
	{ "limit smallest", OPERATION_RETRIEVE_WEBHOOKS, LIMIT(INT32_MIN, "-2147483648") },
	{ "cursor empty", OPERATION_RETRIEVE_WEBHOOKS, CURSOR("") },
	{ "cursor of stars", OPERATION_RETRIEVE_WEBHOOKS, CURSOR("***") },
	{ "cursor of nothing", OPERATION_RETRIEVE_WEBHOOKS, CURSOR("eA") },
	{ "cursor padded", OPERATION_RETRIEVE_WEBHOOKS, CURSOR("eA==") },
	{ "limit and cursor", OPERATION_RETRIEVE_WEBHOOKS, .has_limit = true, .cursor = "!",
	  .status = 400,
	  .details = { { "limit", "query", "0", NULL }, { "cursor", "query", "!", INVALID } } },

	{ "timestamp before time", OPERATION_CREATE_WEBHOOK, .timestamp_ms = -1, .status = 400,
	  .details = { { "timestamp", "body", "-1", "Must be a time between 1970 and 9999" } } },
	{ "timestamp after all", OPERATION_ROTATE_SIGNING_KEY, .timestamp_ms = INT64_MAX,
	  .status = 400, .details = { { "timestamp", "body", "9223372036854775807", NULL } } },
};

static struct command command_of(struct world *world, const struct row *row) {
	struct command command = world_command(world, row->operation);

	command.id = row->id;
	if (row->events[0])
		command.events = arena_memdup(world->arena, row->events, sizeof(row->events));
	for (command.event_count = 1;
	     row->events[0] && command.event_count < 4 && row->events[command.event_count];)
		command.event_count++;
	if (row->no_events)
		command.event_count = 0;
	if (row->url)
		command.url = row->url;
	command.has_limit = row->has_limit;
	command.limit = row->limit;
	command.cursor = row->cursor;
	command.since_ms = row->since_ms;
	if (row->timestamp_ms)
		command.envelope.timestamp_ms = row->timestamp_ms;
	return command;
}

static void check_texts(const char *name, const char *what, const char *is, const char *should) {
	if (should && strcmp(is, should) != 0)
		fail_msg("%s: %s is \"%s\", not \"%s\"", name, what, is, should);
}

static void check_problem(const char *name, const struct analytic_event *outcome, int status,
			  const struct detail *details, size_t max) {
	const struct problem *problem = outcome->data.problem;
	size_t count = 0;

	if (outcome->status != status)
		fail_msg("%s: %d, not %d", name, outcome->status, status);
	while (count < max && details[count].param)
		count++;
	if (problem->detail_count != count)
		fail_msg("%s: %zu details, not %zu", name, problem->detail_count, count);
	for (size_t i = 0; i < count; i++) {
		check_texts(name, "param", problem->details[i].param, details[i].param);
		check_texts(name, "location", problem->details[i].location, details[i].location);
		check_texts(name, "value", problem->details[i].value, details[i].value);
		check_texts(name, "msg", problem->details[i].msg, details[i].msg);
	}
	check_texts(name, "code", problem->code, status == 404 ? "NotFound" : "BadRequest");
	check_texts(name, "type", problem->type, status == 404 ? "resource" : "request");
}

static void every_row_is_refused(void **state) {
	struct world *world = *state;

	assert_true(ARRAY_LEN(rows) >= 60);
	world_create(world, "t");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct command command = command_of(world, &rows[i]);
		const struct analytic_event *outcome = world_handle(world, &command);

		check_problem(rows[i].name, outcome, rows[i].status, rows[i].details,
			      ARRAY_LEN(rows[i].details));
		if (world->effects.change_count != !operation_is_read(rows[i].operation) ||
		    (world->effects.change_count &&
		     world->effects.changes[0].record->kind != STATE_RECEIPT))
			fail_msg("%s: changes something", rows[i].name);
	}
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 1);
}

/* What reading its JSON found comes first; a parameter that it names is not judged again. */
static void faults_of_the_members_are_its_answer(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_UPDATE_WEBHOOK);
	struct problem *faults = problem_new(world->arena, 400, "x");
	const struct detail details[] = {
		{ "url", "body", "7", "Must be a string" },
		{ "urgent", "body", "true", "Is not known" },
		{ "id", "params", "x", INVALID },
	};

	problem_add(world->arena, faults, "url", "body", "7", "Must be a string");
	problem_add(world->arena, faults, "urgent", "body", "true", "Is not known");
	command.envelope.faults = faults;
	command.url = NULL;
	command.id = "x";
	check_problem("faults", world_handle(world, &command), 400, details, ARRAY_LEN(details));
	assert_int_equal(faults->detail_count, 2);
	assert_true(world_handle(world, &command)->repeat);
	faults->details[1].value = "false";
	assert_int_equal(world_handle(world, &command)->status, 409);
}

static void a_good_command_with_a_fault_is_not_carried_out(void **state) {
	struct world *world = *state;
	struct problem *faults = problem_new(world->arena, 400, "x");
	const struct detail detail = { "urgent", "body", "true", "Is not known" };
	const char *id = world_create(world, "t");
	struct issuance issuance = world_issuance(world);

	problem_add(world->arena, faults, "urgent", "body", "true", "Is not known");
	for (int operation = 0; operation <= OPERATION_UNKNOWN; operation++) {
		struct command command = world_command_on(world, (enum operation)operation, id);

		command.envelope.faults = faults;
		check_problem(operation_name((enum operation)operation),
			      world_handle(world, &command), 400, &detail, 1);
		assert_true(world->effects.change_count <= 1);
	}
	issuance.envelope.faults = faults;
	check_problem("issuance", world_issue(world, &issuance), 400, &detail, 1);
	assert_int_equal(world->effects.change_count, 0);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 1);
}

static void a_command_of_no_known_operation_is_answered(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_UNKNOWN);
	struct problem *faults = problem_new(world->arena, 400, "x");

	problem_add(world->arena, faults, "operation.type", "body", "Go", "Must be another");
	command.envelope.faults = faults;
	for (int i = 0; i < 2; i++) {
		const struct analytic_event *outcome = world_handle(world, &command);

		world_assert_outcome(outcome, "WEBHOOK_COMMAND_FAIL", 400);
		assert_false(outcome->repeat);
		/* An older worker could not read its receipt (R13). */
		assert_int_equal(world->effects.change_count, 0);
	}
}

static char *repeated(struct world *world, const char *unit, size_t count) {
	size_t len = strlen(unit);
	char *out = arena_alloc(world->arena, len * count + 1), *p = out;

	while (count--)
		p = stpcpy(p, unit);
	return out;
}

static void a_command_id_has_bounds_and_gets_no_receipt(void **state) {
	struct world *world = *state;
	const char *ids[] = { "", NULL, repeated(world, "x", COMMAND_ID_MAX + 1),
			      repeated(world, "x", 100000) };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
		struct detail detail = { "commandId", "body",
					 ids[i] ? arena_strndup(world->arena, ids[i],
								strnlen(ids[i], PROBLEM_VALUE_MAX))
						: "",
					 "Must be 1 to 256 bytes" };

		command.envelope.command_id = ids[i];
		for (int again = 0; again < 2; again++) {
			check_problem("commandId", world_handle(world, &command), 400, &detail, 1);
			assert_int_equal(world->effects.change_count, 0);
		}
	}
}

/* An event that repeated them whole would not fit into a record, and the command that is refused
 * must still be answered. */
static void identifiers_of_any_length_are_answered(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	const struct analytic_event *outcome;

	command.envelope.request_id = repeated(world, "r", 500000);
	command.envelope.client_id = repeated(world, "\xc3\xa4", 300000);
	outcome = world_handle(world, &command);
	assert_int_equal(outcome->status, 400);
	assert_int_equal(strlen(outcome->request_id), SHOWN_IDENTIFIER_MAX);
	assert_true(utf8_is_text(outcome->client_id, strlen(outcome->client_id)));
}

static void the_longest_ids_are_taken(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);

	command.envelope.command_id = command.envelope.request_id = command.envelope.client_id =
	    repeated(world, "x", 256);
	assert_int_equal(world_handle(world, &command)->status, 201);
}

static void everything_wrong_is_named_in_order(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	const char *too_long = repeated(world, "y", 257), *shown = repeated(world, "y", 256);
	const struct detail details[] = {
		{ "commandId", "body", shown, NULL },
		{ "requestId", "body", shown, "Must be at most 256 bytes" },
		{ "clientId", "body", shown, "Must be at most 256 bytes" },
		{ "url", "body", "nowhere", NULL },
	};

	command.envelope.command_id = command.envelope.request_id = command.envelope.client_id =
	    too_long;
	command.url = "nowhere";
	check_problem("all", world_handle(world, &command), 400, details, ARRAY_LEN(details));
}

static void details_are_bounded(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	const struct problem *problem;

	command.event_count = 100000;
	command.events = arena_alloc(world->arena, command.event_count * sizeof(*command.events));
	for (size_t i = 0; i < command.event_count; i++)
		command.events[i] = "A";
	problem = world_handle(world, &command)->data.problem;
	assert_int_equal(problem->detail_count, PROBLEM_DETAILS_MAX);
	assert_string_equal(problem->details[63].param, "events[63]");
}

static void a_long_value_ends_at_a_character(void **state) {
	struct world *world = *state;
	struct command command = world_command(world, OPERATION_CREATE_WEBHOOK);
	/* 1 + 2 * 127 = 255 bytes: the next character would end at 257. */
	command.url = arena_printf(world->arena, "x%s", repeated(world, "ü", 500));
	assert_string_equal(world_handle(world, &command)->data.problem->details[0].value,
			    arena_printf(world->arena, "x%s", repeated(world, "ü", 127)));
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WORLD_TEST(every_row_is_refused),
		WORLD_TEST(faults_of_the_members_are_its_answer),
		WORLD_TEST(a_good_command_with_a_fault_is_not_carried_out),
		WORLD_TEST(a_command_of_no_known_operation_is_answered),
		WORLD_TEST(a_command_id_has_bounds_and_gets_no_receipt),
		WORLD_TEST(the_longest_ids_are_taken),
		WORLD_TEST(everything_wrong_is_named_in_order),
		WORLD_TEST(details_are_bounded),
		WORLD_TEST(a_long_value_ends_at_a_character),
		WORLD_TEST(identifiers_of_any_length_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
