/* Look-ups of deliveries: pending and dead ones, backlogs. */
#include "replica/internal.h"
#include "replica_fixture.h"

static const struct registry *registry_of(struct fixture *f) {
	return replica_registry(f->replica);
}

/* Of webhook 1: pending 0..9 due at 100, 110, .. 190 (two at 190), dead 20..24 died at 300..304. Of
 * webhook 2: one pending. */
static void fill_deliveries(struct fixture *f) {
	for (uint32_t n = 0; n < 10; n++)
		put(f, 0, delivery_of(n, 1, DELIVERY_PENDING, 100 + 10 * n));
	put(f, 0, delivery_of(15, 1, DELIVERY_PENDING, 190));
	for (uint32_t n = 20; n < 25; n++)
		put(f, 0, delivery_of(n, 1, DELIVERY_DEAD, 300 + n - 20));
	put(f, 0, delivery_of(30, 2, DELIVERY_PENDING, 50));
	put(f, 1, delivery_of(40, 3, DELIVERY_PENDING, 60));
}

static void assert_ids(const struct delivery *deliveries, size_t count, const uint32_t *expected,
		       size_t expected_count) {
	assert_int_equal(count, expected_count);
	for (size_t i = 0; i < count; i++) {
		struct uuid id = uuid_of(expected[i]);

		assert_memory_equal(&deliveries[i].id, &id, sizeof(id));
	}
}

static void pending_deliveries_come_by_due_time_within_bounds(void **state) {
	static const struct {
		const char *name;
		uint32_t webhook;
		int64_t due_ms_max;
		struct delivery_bounds bounds;
		int r;
		uint32_t expected[12];
		size_t count;
	} rows[] = {
		{ "all",
		  1,
		  INT64_MAX,
		  { 100, SIZE_MAX },
		  0,
		  { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15 },
		  11 },
		{ "due by a time, itself included", 1, 120, { 100, SIZE_MAX }, 0, { 0, 1, 2 }, 3 },
		{ "none due", 1, 99, { 100, SIZE_MAX }, 0, { 0 }, 0 },
		{ "so many", 1, INT64_MAX, { 2, SIZE_MAX }, REPLICA_E_MORE, { 0, 1 }, 2 },
		{ "just as many as there are", 1, 110, { 2, SIZE_MAX }, 0, { 0, 1 }, 2 },
		{ "so many bytes", 1, INT64_MAX, { 100, 1000 }, REPLICA_E_MORE, { 0, 1 }, 2 },
		{ "one is always read", 1, INT64_MAX, { 100, 1 }, REPLICA_E_MORE, { 0 }, 1 },
		{ "another webhook", 2, INT64_MAX, { 100, SIZE_MAX }, 0, { 30 }, 1 },
		{ "unknown webhook", 4, INT64_MAX, { 100, SIZE_MAX }, 0, { 0 }, 0 },
	};
	struct fixture *f = *state;

	fill_deliveries(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct uuid webhook_id = uuid_of(rows[i].webhook);
		struct delivery *deliveries;
		size_t count;

		print_message("%s\n", rows[i].name);
		assert_int_equal(replica_pending(f->replica, f->arena, &webhook_id,
						 rows[i].due_ms_max, rows[i].bounds, &deliveries,
						 &count),
				 rows[i].r);
		assert_ids(deliveries, count, rows[i].expected, rows[i].count);
	}
}

static void the_next_due_time_is_found(void **state) {
	static const struct {
		uint32_t webhook;
		int64_t after_ms, expected; /* its due time; 0: there is none */
	} rows[] = {
		{ 1, INT64_MIN, 100 }, { 1, 99, 100 }, { 1, 100, 110 },
		{ 1, 190, 0 },         { 2, 0, 50 },   { 4, 0, 0 },
	};
	struct fixture *f = *state;

	fill_deliveries(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct uuid webhook_id = uuid_of(rows[i].webhook);
		struct delivery next = { 0 };
		int r = replica_next_pending(f->replica, f->arena, &webhook_id, rows[i].after_ms,
					     &next);

		assert_int_equal(r, rows[i].expected ? 0 : REPLICA_E_NOT_FOUND);
		assert_int_equal(next.next_attempt_at_ms, rows[i].expected);
	}
}

/* Takes the deliveries whose number is even, or all. */
static bool takes_even(void *userdata, const struct delivery *delivery) {
	assert_non_null(delivery->body);
	return !userdata || delivery->id.bytes[3] % 2 == 0;
}

#define DEAD DELIVERY_DEAD
#define DONE DELIVERY_SUCCEEDED
#define ANY { 100, SIZE_MAX }

static void ended_deliveries_come_by_time_of_end_within_bounds(void **state) {
	static const struct {
		enum delivery_status status;
		int64_t since_ms, until_ms;
		struct delivery_bounds bounds, walked;
		bool even;
		uint32_t expected[5];
		size_t count;
		int64_t next_ms;
	} rows[] = {
		{ DEAD, 0, 900, ANY, ANY, false, { 20, 21, 22, 23, 24 }, 5, 0 },
		{ DEAD, 303, 900, ANY, ANY, false, { 23, 24 }, 2, 0 },
		{ DEAD, 301, 302, ANY, ANY, false, { 21, 22 }, 2, 0 },
		{ DEAD, 0, 900, { 2, SIZE_MAX }, ANY, false, { 20, 21 }, 2, 302 },
		{ DEAD, 0, 900, { 100, 1000 }, ANY, false, { 20, 21 }, 2, 302 },
		{ DEAD, 0, 900, { 100, 0 }, ANY, false, { 20 }, 1, 301 },
		{ DEAD, 305, 900, ANY, ANY, false, { 0 }, 0, 0 },
		{ DEAD, 0, 900, ANY, ANY, true, { 20, 22, 24 }, 3, 0 },
		{ DEAD, 0, 900, ANY, { 2, SIZE_MAX }, true, { 20 }, 1, 302 },
		{ DEAD, 0, 900, ANY, { 100, 1000 }, true, { 20 }, 1, 302 },
		{ DEAD, 301, 900, ANY, { 100, 1 }, true, { 0 }, 0, 302 },
		{ DONE, 0, 900, ANY, ANY, false, { 40, 41, 42 }, 3, 0 },
		/* Those of one millisecond are looked at together. */
		{ DONE, 0, 900, ANY, { 1, SIZE_MAX }, true, { 40 }, 1, 501 },
		{ DONE, 0, 900, ANY, { 100, 1 }, true, { 40 }, 1, 501 },
	};
	struct fixture *f = *state;
	const struct registry *registry = registry_of(f);

	fill_deliveries(f);
	put(f, 0, delivery_of(40, 1, DELIVERY_SUCCEEDED, 500));
	put(f, 0, delivery_of(41, 1, DELIVERY_SUCCEEDED, 500));
	put(f, 0, delivery_of(42, 1, DELIVERY_SUCCEEDED, 501));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int even = 1;
		struct delivery_walk walk = { .webhook_id = uuid_of(1),
					      .status = rows[i].status,
					      .since_ms = rows[i].since_ms,
					      .until_ms = rows[i].until_ms,
					      .takes = takes_even,
					      .userdata = rows[i].even ? &even : NULL,
					      .bounds = rows[i].bounds,
					      .walked = rows[i].walked };
		struct delivery *deliveries;
		int64_t next_ms;
		size_t count;

		print_message("row %zu\n", i);
		assert_int_equal(registry->delivery_ended(registry->userdata, f->arena, &walk,
							  &deliveries, &count, &next_ms),
				 0);
		assert_ids(deliveries, count, rows[i].expected, rows[i].count);
		assert_int_equal(next_ms, rows[i].next_ms);
	}
}

static void a_delivery_is_found_by_its_id(void **state) {
	struct fixture *f = *state;
	const struct registry *registry = registry_of(f);
	struct uuid id = uuid_of(7), none = uuid_of(8);
	struct delivery found;

	put(f, 0, delivery_of(7, 1, DELIVERY_DEAD, 300));
	assert_int_equal(registry->delivery_get(registry->userdata, f->arena, &id, &found), 0);
	assert_int_equal(found.status, DELIVERY_DEAD);
	assert_int_equal(found.next_attempt_at_ms, 300);
	assert_non_null(found.body);
	assert_int_equal(registry->delivery_get(registry->userdata, f->arena, &none, &found),
			 REGISTRY_E_NOT_FOUND);
	/* Also one that no commit has written yet. */
	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	put(f, 0, delivery_of(8, 1, DELIVERY_PENDING, 5));
	assert_int_equal(registry->delivery_get(registry->userdata, f->arena, &none, &found), 0);
	assert_int_equal(found.next_attempt_at_ms, 5);
	assert_int_equal(replica_turn_end(f->replica, 0), 0);
}

struct walk {
	struct buffer ids;
	int left; /* before it ends */
};

static int append_id(void *userdata, const struct delivery *delivery) {
	struct walk *walk = userdata;

	assert_non_null(delivery->body);
	assert_string_equal(delivery->tenant_id, "tenant");
	buffer_printf(&walk->ids, "%d ", delivery->id.bytes[3]);
	return --walk->left == 0 ? 7 : 0;
}

static void a_walk_over_pending_deliveries_can_be_ended(void **state) {
	static const struct {
		int left, r;
		const char *expected;
	} rows[] = { { 100, 0, "0 1 2 3 4 5 6 7 8 9 15 " }, { 3, 7, "0 1 2 " } };
	struct fixture *f = *state;
	struct uuid webhook_id = uuid_of(1);

	fill_deliveries(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct walk walk = { BUFFER_INIT(1024), rows[i].left };

		assert_int_equal(replica_walk_pending(f->replica, &webhook_id, append_id, &walk),
				 rows[i].r);
		assert_string_equal(walk.ids.data, rows[i].expected);
		buffer_destroy(&walk.ids);
	}
}

static int append_backlog(void *userdata, const struct uuid *webhook_id, const char *tenant_id,
			  int64_t next_due_ms, int64_t count) {
	assert_string_equal(tenant_id, "tenant");
	buffer_printf(userdata, "%d:%lld:%lld ", webhook_id->bytes[3], (long long)next_due_ms,
		      (long long)count);
	return 0;
}

static void assert_backlog(struct fixture *f, int32_t partition, const char *expected) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(1024);

	assert_int_equal(replica_backlog(f->replica, partition, append_backlog, &out), 0);
	assert_string_equal(out.len ? out.data : "", expected);
}

static void a_backlog_follows_its_deliveries(void **state) {
	struct fixture *f = *state;

	fill_deliveries(f);
	assert_backlog(f, 0, "1:100:11 2:50:1 ");
	assert_backlog(f, 1, "3:60:1 ");
	assert_backlog(f, 2, "");
	/* A delivery that ends, dies or is put off leaves its place. */
	del(f, 0, delivery_of(0, 1, DELIVERY_PENDING, 0));
	put(f, 0, delivery_of(1, 1, DELIVERY_DEAD, 400));
	put(f, 0, delivery_of(2, 1, DELIVERY_PENDING, 500));
	put(f, 0, delivery_of(20, 1, DELIVERY_PENDING, 90)); /* recovered */
	del(f, 0, delivery_of(30, 2, DELIVERY_PENDING, 0));
	assert_backlog(f, 0, "1:90:10 ");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(pending_deliveries_come_by_due_time_within_bounds),
		TEST(a_walk_over_pending_deliveries_can_be_ended),
		TEST(the_next_due_time_is_found),
		TEST(ended_deliveries_come_by_time_of_end_within_bounds),
		TEST(a_delivery_is_found_by_its_id),
		TEST(a_backlog_follows_its_deliveries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
