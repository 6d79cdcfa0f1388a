/* Who takes a tenant's events: what is kept of SQLite's answers, and for how long. */
#include "replica/internal.h"
#include "replica_fixture.h"

#include <stdio.h>

static bool takes_each(void *userdata _unused_, const struct subscriber *subscriber _unused_) {
	return true;
}

/* "n:types n:types ", in order. */
static void assert_subscribers(struct fixture *f, const char *tenant_id, const char *expected) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(1024);
	const struct registry *registry = replica_registry(f->replica);
	const struct subscriber_query query = { .takes = takes_each, .limit = 100 };
	struct subscriber *found;
	size_t count;

	assert_int_equal(
	    registry->subscribers(registry->userdata, f->arena, tenant_id, &query, &found, &count),
	    0);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&out, "%d:%u ", found[i].webhook_id.bytes[3], found[i].types);
	assert_string_equal(out.len ? out.data : "", expected);
}

/* Behind the replica's back: an answer that is the same after it came from memory. */
static void delete_all_rows(struct fixture *f) {
	assert_int_equal(sqlite3_exec(f->replica->db, "DELETE FROM webhook", NULL, NULL, NULL),
			 SQLITE_OK);
}

static void put_another(struct fixture *f) {
	put(f, 0, webhook_of("t", 2, 20));
}

static void delete_another(struct fixture *f) {
	del(f, 0, webhook_of("t", 2, 20));
}

static void put_a_strangers(struct fixture *f) {
	put(f, 0, webhook_of("u", 3, 30));
}

static void undo_a_turn(struct fixture *f) {
	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	replica_rollback(f->replica);
}

static void drop_a_partition(struct fixture *f) {
	assert_int_equal(replica_drop_partition(f->replica, 1), 0);
}

static void end_a_turn(struct fixture *f) {
	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	put(f, 0, delivery_of(1, 1, DELIVERY_PENDING, 10));
	assert_int_equal(replica_turn_end(f->replica, 0), 0);
}

static void an_answer_is_kept_until_it_may_be_another(void **state _unused_) {
	static const struct {
		const char *name;
		void (*happens)(struct fixture *f);
		const char *answer;
	} rows[] = {
		{ "a webhook of the tenant is put", put_another, "2:1 " },
		{ "one is deleted", delete_another, "" },
		{ "one of another tenant is put", put_a_strangers, "1:1 " },
		{ "a turn is undone", undo_a_turn, "" },
		{ "a partition is dropped", drop_a_partition, "" },
		{ "a turn without webhooks is committed", end_a_turn, "1:1 " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *fixture;
		struct fixture *f;

		print_message("%s\n", rows[i].name);
		assert_int_equal(fixture_setup(&fixture), 0);
		f = fixture;
		put(f, 0, webhook_of("t", 1, 10));
		assert_subscribers(f, "t", "1:1 ");
		delete_all_rows(f);
		assert_subscribers(f, "t", "1:1 ");
		rows[i].happens(f);
		assert_subscribers(f, "t", rows[i].answer);
		fixture_teardown(&fixture);
	}
}

/* What a turn changed counts in the turn, and no longer once it is undone. */
static void an_undone_turn_leaves_no_answer(void **state) {
	struct fixture *f = *state;

	put(f, 0, webhook_of("t", 1, 10));
	assert_subscribers(f, "t", "1:1 ");
	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	put(f, 0, webhook_of("t", 2, 20));
	assert_subscribers(f, "t", "1:1 2:1 ");
	del(f, 0, webhook_of("t", 1, 10));
	assert_subscribers(f, "t", "2:1 ");
	replica_rollback(f->replica);
	assert_subscribers(f, "t", "1:1 ");
}

/* Another process writes the file. */
static void a_reader_keeps_no_answer(void **state) {
	struct fixture *f = *state, reader = *f;

	put(f, 0, webhook_of("t", 1, 10));
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader.replica), 0);
	assert_subscribers(&reader, "t", "1:1 ");
	put(f, 0, webhook_of("t", 2, 20));
	assert_subscribers(&reader, "t", "1:1 2:1 ");
	replica_close(reader.replica);
}

static void append_texts(struct buffer *out, const char *const *texts, size_t count) {
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, "%s,", texts[i]);
}

/* Takes those with an even number, after a line of what each borrows. */
static bool describe(void *userdata, const struct subscriber *subscriber) {
	const struct webhook_filter *filter = subscriber->filter;
	struct buffer *out = userdata;

	buffer_printf(out, "%d:%u ", subscriber->webhook_id.bytes[3], subscriber->types);
	append_texts(out, subscriber->more_types, subscriber->more_count);
	if (filter) {
		buffer_append_string(out, " formats=");
		append_texts(out, filter->formats.items, filter->formats.count);
		buffer_append_string(out, " subjects=");
		append_texts(out, filter->subjects.items, filter->subjects.count);
	}
	buffer_append_char(out, '\n');
	return subscriber->webhook_id.bytes[3] % 2 == 0;
}

static void assert_walk(struct fixture *f, const char *expected, size_t expected_count) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(65536);
	const struct subscriber_query query = { .takes = describe, .userdata = &out, .limit = 100 };
	const struct registry *registry = replica_registry(f->replica);
	struct subscriber *found;
	size_t count;

	assert_int_equal(
	    registry->subscribers(registry->userdata, f->arena, "t", &query, &found, &count), 0);
	assert_string_equal(out.len ? out.data : "", expected);
	assert_int_equal(count, expected_count);
	for (size_t i = 0; i < count; i++)
		assert_true(!found[i].more_types && !found[i].filter);
}

static void what_they_borrow_is_kept_with_them(void **state) {
	static const char *const own[] = { "Revoked", EVENT_TYPE_CREDENTIAL_ISSUED, "a.b" };
	static const char *formats[] = { "ldp_vc" }, *subjects[] = { "c-1", "", "c-3" };
	const struct webhook_filter filter = { .formats = { formats, 1 },
					       .subjects = { subjects, 3 } };
	static const char expected[] = "1:1 \n"
				       "2:5 Revoked,a.b,\n"
				       "3:5  formats=ldp_vc, subjects=c-1,,c-3,\n"
				       "4:5 Revoked,a.b, formats=ldp_vc, subjects=c-1,,c-3,\n";
	struct fixture *f = *state;

	for (uint32_t n = 1; n <= 4; n++) {
		struct state_record record = webhook_of("t", n, n);

		if (n == 2 || n == 4) {
			record.webhook.events = own;
			record.webhook.event_count = ARRAY_LEN(own);
		}
		if (n > 2)
			record.webhook.filter = &filter;
		put(f, 0, record);
	}
	assert_walk(f, expected, 2);
	delete_all_rows(f);
	print_message("from memory\n");
	assert_walk(f, expected, 2);
}

/* "n@endpoint ", in order. */
static bool append_endpoint(void *userdata, const struct subscriber *subscriber) {
	buffer_printf(userdata, "%d@%s ", subscriber->webhook_id.bytes[3], subscriber->endpoint);
	return true;
}

static void assert_watchers(struct fixture *f, size_t walked_max, const char *expected) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(1024);
	const struct subscriber_query query = { .takes = append_endpoint,
						.userdata = &out,
						.limit = 100,
						.of_notices = true,
						.walked_max = walked_max };
	const struct registry *registry = replica_registry(f->replica);
	struct subscriber *found;
	size_t count;

	assert_int_equal(
	    registry->subscribers(registry->userdata, f->arena, "t", &query, &found, &count), 0);
	assert_string_equal(out.len ? out.data : "", expected);
}

/* Also where others are many; what is kept is all, never these alone. */
static void who_takes_notices_is_walked_alone(void **state) {
	static const char *const notice[] = { "DegreeRevoked", "WebhookFailing" };
	struct fixture *f = *state;

	for (uint32_t n = 1; n <= 5; n++) {
		struct state_record record = webhook_of("t", n, n);

		record.webhook.url = "https://hooks.example.com/a";
		if (n % 2 == 0) {
			record.webhook.events = notice;
			record.webhook.event_count = 2;
		}
		put(f, 0, record);
	}
	for (int again = 0; again < 2; again++) {
		assert_watchers(f, 0, "2@hooks.example.com:443 4@hooks.example.com:443 ");
		assert_watchers(f, 1, "2@hooks.example.com:443 ");
		assert_subscribers(f, "t", "1:1 2:12 3:1 4:12 5:1 ");
		arena_reset(f->arena);
		memset(arena_alloc(f->arena, 4096), 'x', 4096); /* where the answer was */
		print_message("from memory\n");
	}
}

/* Each of its webhooks is looked at, and none of them is kept. */
static void a_list_that_is_too_large_is_walked_again(void **state) {
	enum { BYTES = 3500, COUNT = 180 };
	_cleanup_(x_freep) char *text = x_malloc(BYTES + 1);
	const char *subjects[] = { text };
	const struct webhook_filter filter = { .subjects = { subjects, 1 } };
	struct fixture *f = *state;

	memset(text, 'x', BYTES);
	text[BYTES] = '\0';
	for (uint32_t n = 1; n <= COUNT; n++) {
		struct state_record record = webhook_of("t", n, n);

		record.webhook.filter = &filter;
		put(f, 0, record);
	}
	for (int again = 0; again < 2; again++) {
		const struct registry *registry = replica_registry(f->replica);
		const struct subscriber_query query = { .takes = takes_each, .limit = COUNT };
		struct subscriber *found;
		size_t count;

		assert_int_equal(registry->subscribers(registry->userdata, f->arena, "t", &query,
						       &found, &count),
				 0);
		assert_int_equal(count, COUNT);
	}
	assert_null(subscriber_cache_get(f->replica->subscribers, "t"));
}

static bool is_kept(struct subscriber_cache *cache, int n) {
	char tenant_id[16];

	snprintf(tenant_id, sizeof(tenant_id), "t%04d", n);
	return subscriber_cache_get(cache, tenant_id);
}

static void keep(struct subscriber_cache *cache, int n, size_t count) {
	struct subscriber *items = x_calloc(count + 1, sizeof(*items));
	char tenant_id[16];

	snprintf(tenant_id, sizeof(tenant_id), "t%04d", n);
	subscriber_cache_put(cache, tenant_id, &(struct subscriber_list){ items, count });
	free(items);
}

static void its_bytes_are_bounded(void **state _unused_) {
	struct subscriber_cache *cache = subscriber_cache_new(8 * 1024);

	for (int n = 0; n < 1000; n++) {
		keep(cache, n, (size_t)n % 5);
		assert_true(is_kept(cache, n));
		assert_in_range(subscriber_cache_bytes(cache), 1, 8 * 1024);
	}
	print_message("the one that was kept first left first\n");
	assert_false(is_kept(cache, 0));
	assert_true(is_kept(cache, 990));
	print_message("a list that takes more than a quarter is not kept\n");
	keep(cache, 999, 1000);
	assert_false(is_kept(cache, 999));
	assert_true(is_kept(cache, 990));
	subscriber_cache_clear(cache);
	assert_int_equal(subscriber_cache_bytes(cache), 0);
	subscriber_cache_free(cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_kept_until_it_may_be_another),
		TEST(an_undone_turn_leaves_no_answer),
		TEST(a_reader_keeps_no_answer),
		TEST(what_they_borrow_is_kept_with_them),
		TEST(who_takes_notices_is_walked_alone),
		TEST(a_list_that_is_too_large_is_walked_again),
		cmocka_unit_test(its_bytes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
