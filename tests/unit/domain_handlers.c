/* The operations of WebhookCommand: their lives, answers, receipts and pages. */
#include "domain/cursor.h"
#include "domain/id.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

#include <errno.h>

static struct command on(struct world *world, enum operation operation, const char *id) {
	struct command command = world_command(world, operation);

	command.id = id;
	return command;
}

static void assert_outcome(const struct analytic_event *outcome, const char *type, int status) {
	assert_string_equal(analytic_event_type(outcome->subject, outcome->step), type);
	assert_int_equal(outcome->status, status);
	assert_false(outcome->repeat);
}

static void a_webhook_lives_and_goes(void **state) {
	static const char *both[] = { "OpenIdCredentialIssuedSummary", "OpenIdCredentialIssued" };
	struct world *world = *state;
	const char *id = world_create(world, "t");
	const struct analytic_event *outcome = &world->effects.events[1];
	struct command command;

	assert_outcome(outcome, "WEBHOOK_CREATE_SUCCESS", 201);
	assert_string_equal(outcome->data.webhook.url, "https://example.com/hook");
	assert_int_equal(outcome->data.webhook.created_at_ms, world->now_ms);

	command = on(world, OPERATION_RETRIEVE_WEBHOOK, id);
	assert_outcome(world_handle(world, &command), "WEBHOOK_RETRIEVE_SUCCESS", 200);

	world->now_ms += 5000;
	command = on(world, OPERATION_UPDATE_WEBHOOK, id);
	command.events = both;
	command.event_count = 2;
	command.url = "HTTPS://example.com:443/other";
	command.disabled = true;
	outcome = world_handle(world, &command);
	assert_outcome(outcome, "WEBHOOK_UPDATE_SUCCESS", 200);
	assert_string_equal(outcome->data.webhook.url, "https://example.com/other");
	assert_int_equal(outcome->data.webhook.event_count, 2);
	assert_int_equal(outcome->data.webhook.events[0], EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY);
	assert_true(outcome->data.webhook.disabled);
	assert_int_equal(outcome->data.webhook.created_at_ms, WORLD_START_MS);
	assert_int_equal(outcome->data.webhook.updated_at_ms, WORLD_START_MS + 5000);

	command = on(world, OPERATION_RETRIEVE_WEBHOOK, id);
	outcome = world_handle(world, &command);
	assert_string_equal(outcome->data.webhook.url, "https://example.com/other");

	command = on(world, OPERATION_DELETE_WEBHOOK, id);
	outcome = world_handle(world, &command);
	assert_outcome(outcome, "WEBHOOK_DELETE_SUCCESS", 204);
	assert_int_equal(outcome->data.kind, EVENT_DATA_NONE);
	assert_int_equal(fake_registry_count(&world->fake, STATE_WEBHOOK), 0);

	command = on(world, OPERATION_RETRIEVE_WEBHOOK, id);
	assert_outcome(world_handle(world, &command), "WEBHOOK_RETRIEVE_FAIL", 404);
	command = on(world, OPERATION_DELETE_WEBHOOK, id);
	assert_outcome(world_handle(world, &command), "WEBHOOK_DELETE_FAIL", 404);
}

static void ids_are_taken_in_either_case(void **state) {
	struct world *world = *state;
	char *id = arena_strdup(world->arena, world_create(world, "t"));
	struct command command;

	for (char *p = id; *p; p++)
		*p = *p >= 'a' ? (char)(*p - 'a' + 'A') : *p;
	command = on(world, OPERATION_RETRIEVE_WEBHOOK, id);
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
		struct command command = on(world, operations[i], id);

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

	assert_outcome(outcome, "WEBHOOK_KEY_ROTATE_SUCCESS", 201);
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
	struct command command = on(world, OPERATION_TEST_WEBHOOK, id);
	const struct analytic_event *outcome = world_handle(world, &command);
	const struct delivery *delivery;

	assert_outcome(outcome, "WEBHOOK_TEST_SUCCESS", 202);
	assert_int_equal(outcome->data.delivery.event_type, EVENT_TYPE_WEBHOOK_TEST);
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
	struct command command = on(world, OPERATION_UPDATE_WEBHOOK, id);
	const struct analytic_event *outcome;

	command.disabled = true;
	world_handle(world, &command);
	command = on(world, OPERATION_TEST_WEBHOOK, id);
	outcome = world_handle(world, &command);
	assert_outcome(outcome, "WEBHOOK_TEST_FAIL", 409);
	assert_string_equal(outcome->data.problem->code, "Conflict");
	assert_string_equal(outcome->data.problem->type, "resource");
	assert_string_equal(outcome->data.problem->details[0].param, "id");
	assert_string_equal(outcome->data.problem->details[0].value, id);
	command = on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_outcome(world_handle(world, &command), "WEBHOOK_RECOVER_FAIL", 409);
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
	struct command command = on(world, OPERATION_RECOVER_DELIVERIES, id);
	const struct analytic_event *outcome;
	const struct delivery *revived;

	add_dead(world, id, 1, 1000);
	add_dead(world, id, 2, 2000);
	add_dead(world, id, 3, 3000);
	add_dead(world, other, 4, 3000);
	command.since_ms = 2000;
	outcome = world_handle(world, &command);
	assert_outcome(outcome, "WEBHOOK_RECOVER_SUCCESS", 200);
	assert_int_equal(outcome->data.recovered, 2);
	assert_int_equal(world->effects.change_count, 3);
	revived = &world->effects.changes[0].record->delivery;
	assert_int_equal(revived->id.bytes[0], 2);
	assert_int_equal(revived->status, DELIVERY_PENDING);
	assert_int_equal(revived->attempts, 0);
	assert_int_equal(revived->next_attempt_at_ms, world->now_ms);
	assert_null(revived->last_reason);
	command = on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &command)->data.recovered, 1);
	command = on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &command)->data.recovered, 0);
}

/* Asked again, it goes on where it ended. */
static void recovery_takes_as_many_bytes_as_fit_into_a_turn(void **state) {
	enum { EACH = 1024 * 1024, FITS = RECOVER_BYTES_MAX / EACH, DEAD = FITS + 3 };
	struct world *world = *state;
	const char *id = world_create(world, "t");
	struct command command;

	for (uint8_t number = 1; number <= DEAD; number++)
		add_dead(world, id, number, number);
	for (size_t i = 0; i < world->fake.count; i++)
		if (world->fake.records[i].kind == STATE_DELIVERY)
			world->fake.records[i].delivery.body_len = EACH;
	command = on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &command)->data.recovered, FITS);
	command = on(world, OPERATION_RECOVER_DELIVERIES, id);
	assert_int_equal(world_handle(world, &command)->data.recovered, DEAD - FITS);
}

/* A page of webhooks for each time that somebody looked would outweigh the registry. */
static void reads_leave_nothing(void **state) {
	struct world *world = *state;
	struct command commands[] = {
		on(world, OPERATION_RETRIEVE_WEBHOOK, world_create(world, "t")),
		world_command(world, OPERATION_RETRIEVE_WEBHOOKS),
		on(world, OPERATION_RETRIEVE_WEBHOOK, "x"),
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		assert_false(world_handle(world, &commands[i])->repeat);
		assert_int_equal(world->effects.change_count, 0);
	}
}

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
		on(world, OPERATION_TEST_WEBHOOK, "x"),
		on(world, OPERATION_DELETE_WEBHOOK, "00000000-0000-4000-8000-000000000000"),
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
	/* What does not count as content. */
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
	struct command command = on(world, OPERATION_DELETE_WEBHOOK, "x");
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
		struct command command = on(world, (enum operation)operation, id);

		assert_null(world_handle(world, &command));
	}
}

static void create_many(struct world *world, size_t count) {
	while (count--) {
		world->now_ms += world->offset % 3 == 0;
		world_create(world, "t");
	}
}

static void lists_nothing(void **state) {
	struct world *world = *state;
	struct command list = world_command(world, OPERATION_RETRIEVE_WEBHOOKS);
	const struct analytic_event *outcome = world_handle(world, &list);

	assert_outcome(outcome, "WEBHOOK_RETRIEVE_LIST_SUCCESS", 200);
	assert_int_equal(outcome->data.page.count, 0);
	assert_null(outcome->data.page.next_cursor);
}

static void the_default_limit_is_100(void **state) {
	struct world *world = *state;
	struct command list = world_command(world, OPERATION_RETRIEVE_WEBHOOKS);
	const struct analytic_event *outcome;

	create_many(world, 100);
	outcome = world_handle(world, &list);
	assert_int_equal(outcome->data.page.count, 100);
	assert_null(outcome->data.page.next_cursor);
	create_many(world, 1);
	list = world_command(world, OPERATION_RETRIEVE_WEBHOOKS);
	outcome = world_handle(world, &list);
	assert_int_equal(outcome->data.page.count, 100);
	assert_non_null(outcome->data.page.next_cursor);
}

static void delete_webhook(struct world *world, const struct uuid *id) {
	char text[UUID_TEXT_SIZE];
	struct command command;

	uuid_format(id, text);
	command = on(world, OPERATION_DELETE_WEBHOOK, text);
	assert_int_equal(world_handle(world, &command)->status, 204);
}

struct pages {
	struct uuid seen[4000];
	size_t count;
	size_t sizes[8];
	size_t page_count;
};

/* Reads one page; returns its end, or NULL after the last. */
static const char *read_page(struct world *world, const char *cursor, struct pages *pages) {
	struct command list = world_command(world, OPERATION_RETRIEVE_WEBHOOKS);
	const struct webhook_page *page;

	list.has_limit = true;
	list.limit = 1000;
	list.cursor = cursor;
	page = &world_handle(world, &list)->data.page;
	for (size_t i = 0; i < page->count; i++)
		pages->seen[pages->count++] = page->items[i].id;
	pages->sizes[pages->page_count++] = page->count;
	return page->next_cursor;
}

static int compare_ids(const void *a, const void *b) {
	return uuid_compare(a, b);
}

static void assert_none_twice(struct pages *pages) {
	qsort(pages->seen, pages->count, sizeof(pages->seen[0]), compare_ids);
	for (size_t i = 1; i < pages->count; i++)
		assert_int_not_equal(uuid_compare(&pages->seen[i - 1], &pages->seen[i]), 0);
}

/* 2,500 rows are put in directly: through commands each would bring its receipt, and the fake looks
 * at all of it. */
static void fill(struct world *world, size_t count) {
	struct effects effects;

	effects_init(&effects, world->arena);
	for (size_t i = 0; i < count; i++) {
		struct state_record record = {
			.kind = STATE_WEBHOOK,
			.webhook = { .tenant_id = "t",
				     .url = "https://example.com/",
				     .event_count = 1,
				     .created_at_ms = WORLD_START_MS + (int64_t)(i / 7) },
		};
		const struct command_source source = { .cluster_id = "fill",
						       .topic = "",
						       .offset = (int64_t)i };

		record.webhook.id = id_of_webhook(&source, "t", "fill");
		effects_put(&effects, &record);
	}
	fake_registry_apply(&world->fake, &effects);
	world->now_ms += 10000;
}

static void pages_hold_everything_once(void **state) {
	struct world *world = *state;
	struct pages *pages = arena_zalloc(world->arena, sizeof(*pages));
	const char *cursor = NULL;

	fill(world, 2500);
	do
		cursor = read_page(world, cursor, pages);
	while (cursor);
	assert_int_equal(pages->page_count, 3);
	assert_int_equal(pages->sizes[0], 1000);
	assert_int_equal(pages->sizes[1], 1000);
	assert_int_equal(pages->sizes[2], 500);
	assert_none_twice(pages);
}

/* Between the pages the cursor's own item goes, one already seen goes, one not yet seen goes, and
 * one comes. */
static void pages_stay_whole_while_webhooks_come_and_go(void **state) {
	struct world *world = *state;
	struct pages *pages = arena_zalloc(world->arena, sizeof(*pages));
	struct webhook *all;
	const char *cursor = NULL;
	size_t count, gone_unseen = 0, fresh = 0;

	fill(world, 2500);
	assert_int_equal(world->fake.registry.webhook_list(&world->fake, world->arena, "t", NULL,
							   4000, &all, &count),
			 0);
	while ((cursor = read_page(world, cursor, pages))) {
		struct uuid last = pages->seen[pages->count - 1],
			    seen = pages->seen[pages->count - 500];

		delete_webhook(world, &last);
		delete_webhook(world, &seen);
		delete_webhook(world, &all[2490 + gone_unseen++].id);
		world->now_ms++;
		world_create(world, "t");
		fresh++;
	}
	assert_int_equal(pages->count, 2500 - gone_unseen + fresh);
	assert_none_twice(pages);
}

static void a_page_ends_before_its_record_is_too_large(void **state) {
	struct world *world = *state;
	struct pages *pages = arena_zalloc(world->arena, sizeof(*pages));
	char *url = arena_zalloc(world->arena, 2049);
	const char *cursor = NULL;

	fill(world, 1000);
	memset(url, 'a', 2048);
	for (size_t i = 0; i < world->fake.count; i++)
		world->fake.records[i].webhook.url = url;
	do
		cursor = read_page(world, cursor, pages);
	while (cursor);
	assert_true(pages->page_count > 3);
	assert_int_equal(pages->count, 1000);
	for (size_t i = 0; i < pages->page_count; i++)
		assert_true(pages->sizes[i] > 0 && pages->sizes[i] * 2048 < PAGE_BYTES_MAX);
	assert_none_twice(pages);
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
		WORLD_TEST(a_repeated_read_reads_again),
		WORLD_TEST(refusals_change_only_the_receipt),
		WORLD_TEST(a_repeated_command_is_answered_again),
		WORLD_TEST(a_repeated_refusal_is_answered_again),
		WORLD_TEST(a_receipt_ends),
		WORLD_TEST(a_command_id_means_one_thing),
		WORLD_TEST(another_tenant_may_use_the_same_command_id),
		WORLD_TEST(a_registry_that_fails_is_forwarded),
		WORLD_TEST(lists_nothing),
		WORLD_TEST(the_default_limit_is_100),
		WORLD_TEST(pages_hold_everything_once),
		WORLD_TEST(pages_stay_whole_while_webhooks_come_and_go),
		WORLD_TEST(a_page_ends_before_its_record_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
