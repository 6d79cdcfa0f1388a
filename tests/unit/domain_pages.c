/* Lists of webhooks, page by page. */
#include "domain/id.h"
#include "domain/limits.h"
#include "domain_world.h"
#include "unit.h"

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

	world_assert_outcome(outcome, "WEBHOOK_RETRIEVE_LIST_SUCCESS", 200);
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
	command = world_command_on(world, OPERATION_DELETE_WEBHOOK, text);
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

static const char *const subscribed[] = { EVENT_TYPE_CREDENTIAL_ISSUED };

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
				     .events = subscribed,
				     .event_count = ARRAY_LEN(subscribed),
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
	const struct webhook_query query = { .limit = 4000, .bytes_max = SIZE_MAX };
	struct webhook_list all;
	const char *cursor = NULL;
	size_t gone_unseen = 0, fresh = 0;

	fill(world, 2500);
	assert_int_equal(
	    world->fake.registry.webhook_list(&world->fake, world->arena, "t", &query, &all), 0);
	while ((cursor = read_page(world, cursor, pages))) {
		struct uuid last = pages->seen[pages->count - 1],
			    seen = pages->seen[pages->count - 500];

		delete_webhook(world, &last);
		delete_webhook(world, &seen);
		delete_webhook(world, &all.items[2490 + gone_unseen++].id);
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

/* Sealed headers are not shown, but stand in the records that are read for it. */
static void a_page_ends_before_too_much_is_read_for_it(void **state) {
	enum { SEALED = 64 * 1024, FITTING = PAGE_READ_MAX / SEALED };
	struct webhook_header header = { .name = "x-key", .sealed_len = SEALED };
	struct world *world = *state;
	struct pages *pages = arena_zalloc(world->arena, sizeof(*pages));
	const char *cursor = NULL;

	fill(world, 2 * FITTING + 1);
	for (size_t i = 0; i < world->fake.count; i++) {
		world->fake.records[i].webhook.headers = &header;
		world->fake.records[i].webhook.header_count = 1;
	}
	do
		cursor = read_page(world, cursor, pages);
	while (cursor);
	assert_int_equal(pages->page_count, 3);
	assert_int_equal(pages->sizes[0], FITTING);
	assert_int_equal(pages->sizes[1], FITTING);
	assert_int_equal(pages->sizes[2], 1);
	assert_none_twice(pages);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		WORLD_TEST(lists_nothing),
		WORLD_TEST(the_default_limit_is_100),
		WORLD_TEST(pages_hold_everything_once),
		WORLD_TEST(pages_stay_whole_while_webhooks_come_and_go),
		WORLD_TEST(a_page_ends_before_its_record_is_too_large),
		WORLD_TEST(a_page_ends_before_too_much_is_read_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
