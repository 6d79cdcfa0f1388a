/* Changes to the replica: idempotent, of a transaction, in order, and forgotten by partition. */
#include "replica_fixture.h"

#include <errno.h>
#include <stdio.h>

static void every_kind_is_idempotent(void **state) {
	struct fixture *f = *state;
	const struct {
		const char *name;
		struct state_record first, second; /* of the same key */
	} rows[] = {
		{ "webhook", webhook_of("t", 1, 10), webhook_of("t", 1, 20) },
		{ "signing key", signing_key_of("t", "kid", 1, 0),
		  signing_key_of("t", "kid", 1, 99) },
		{ "delivery", delivery_of(1, 1, DELIVERY_PENDING, 10),
		  delivery_of(1, 1, DELIVERY_DEAD, 20) },
		{ "receipt", receipt_of("t", "c", 10), receipt_of("t", "c", 20) },
		{ "position", position_of(1), position_of(2) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *first, *second;

		print_message("%s\n", rows[i].name);
		put(f, 3, rows[i].first);
		first = dump_text(f, f->replica);
		put(f, 3, rows[i].first);
		assert_string_equal(dump_text(f, f->replica), first);
		put(f, 3, rows[i].second);
		second = dump_text(f, f->replica);
		assert_string_not_equal(second, first);
		put(f, 3, rows[i].second);
		assert_string_equal(dump_text(f, f->replica), second);
		assert_int_equal(dump_count(f, f->replica), 1);

		del(f, 4, rows[i].second); /* another partition's */
		assert_string_equal(dump_text(f, f->replica), second);
		del(f, 3, rows[i].second);
		assert_string_equal(dump_text(f, f->replica), "");
		del(f, 3, rows[i].second);
		assert_string_equal(dump_text(f, f->replica), "");
	}
}

static void a_rollback_forgets_and_a_commit_keeps(void **state) {
	struct fixture *f = *state;
	const char *before;
	int64_t offset, stored_at_ms;

	put(f, 0, webhook_of("t", 1, 10));
	assert_int_equal(replica_offset_set(f->replica, 0, 5, 1000), 0);
	before = dump_text(f, f->replica);

	assert_int_equal(replica_begin(f->replica), 0);
	put(f, 0, webhook_of("t", 2, 10));
	del(f, 0, webhook_of("t", 1, 10));
	assert_int_equal(replica_offset_set(f->replica, 0, 9, 2000), 0);
	assert_string_not_equal(dump_text(f, f->replica),
				before); /* the turn sees its own changes */
	replica_rollback(f->replica);
	assert_string_equal(dump_text(f, f->replica), before);
	assert_int_equal(replica_offset_get(f->replica, 0, &offset, &stored_at_ms), 0);
	assert_int_equal(offset, 5);
	assert_int_equal(stored_at_ms, 1000);

	replica_rollback(f->replica); /* without a transaction: nothing */
	assert_int_equal(replica_begin(f->replica), 0);
	put(f, 0, webhook_of("t", 2, 10));
	assert_int_equal(replica_commit(f->replica), 0);
	replica_rollback(f->replica);
	assert_int_equal(dump_count(f, f->replica), 2);
}

static void offset_and_position_are_each_partition_s_own(void **state) {
	struct fixture *f = *state;
	struct position position;
	int64_t offset, stored_at_ms;

	assert_int_equal(replica_offset_get(f->replica, 1, &offset, &stored_at_ms), 0);
	assert_int_equal(offset, -1);
	assert_int_equal(replica_position_get(f->replica, 1, &position, f->arena),
			 REPLICA_E_NOT_FOUND);

	put(f, 1, position_of(11));
	put(f, 2, position_of(22));
	assert_int_equal(replica_offset_set(f->replica, 1, 0, 7), 0);
	assert_int_equal(replica_offset_get(f->replica, 1, &offset, &stored_at_ms), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(replica_offset_get(f->replica, 2, &offset, &stored_at_ms), 0);
	assert_int_equal(offset, -1);
	assert_int_equal(replica_position_get(f->replica, 1, &position, f->arena), 0);
	assert_int_equal(position.sequence, 11);
	assert_string_equal(position.member_id, "worker-1");
	assert_int_equal(replica_position_get(f->replica, 2, &position, f->arena), 0);
	assert_int_equal(position.sequence, 22);
}

enum { MANY = 12000 }; /* more than two chunks of replica_drop_partition */

static void fill(struct fixture *f, int32_t partition, uint32_t from, uint32_t step) {
	char name[32];

	assert_int_equal(replica_begin(f->replica), 0);
	for (uint32_t n = from; n < MANY; n += step) {
		put(f, partition,
		    delivery_of(n, n % 7, n % 3 ? DELIVERY_PENDING : DELIVERY_DEAD, n));
		snprintf(name, sizeof(name), "name-%u", n);
		put(f, partition, receipt_of("tenant", name, n + 1));
	}
	put(f, partition, webhook_of("tenant", from, 1));
	snprintf(name, sizeof(name), "kid-%u", from);
	put(f, partition, signing_key_of("tenant", name, 1, 5));
	put(f, partition, position_of(1));
	assert_int_equal(replica_offset_set(f->replica, partition, 100, 1), 0);
	assert_int_equal(replica_commit(f->replica), 0);
}

static void a_dropped_partition_leaves_the_others(void **state) {
	struct fixture *f = *state;
	struct replica_counts counts;
	struct position position;
	int64_t offset, stored_at_ms;
	size_t of_others;

	fill(f, 1, 1, 2);
	of_others = dump_count(f, f->replica);
	fill(f, 0, 0, 2);
	/* One key that stands in both. */
	put(f, 0, delivery_of(1, 1, DELIVERY_PENDING, 1));
	assert_int_equal(replica_drop_partition(f->replica, 0), 0);

	assert_int_equal(dump_count(f, f->replica), of_others);
	assert_int_equal(replica_count(f->replica, 0, &counts), 0);
	assert_int_equal(counts.webhooks + counts.pending + counts.dead + counts.receipts, 0);
	assert_int_equal(replica_count(f->replica, 1, &counts), 0);
	assert_int_equal(counts.webhooks, 1);
	assert_int_equal(counts.receipts, MANY / 2);
	assert_int_equal(counts.pending + counts.dead, MANY / 2);
	assert_int_equal(counts.dead, MANY / 6);
	assert_int_equal(replica_offset_get(f->replica, 0, &offset, &stored_at_ms), 0);
	assert_int_equal(offset, -1);
	assert_int_equal(replica_position_get(f->replica, 0, &position, f->arena),
			 REPLICA_E_NOT_FOUND);
	assert_int_equal(replica_offset_get(f->replica, 1, &offset, &stored_at_ms), 0);
	assert_int_equal(offset, 100);
	assert_int_equal(replica_drop_partition(f->replica, 5), 0); /* one that was never here */
}

struct previous {
	char key[256];
	int32_t partition;
	size_t count;
	struct arena *arena;
};

static int check_order(void *userdata, const char *key, int32_t partition, const void *value,
		       size_t len) {
	struct previous *previous = userdata;
	struct state_key parsed;
	int order = strcmp(previous->key, key);

	(void)value;
	assert_true(len > 0);
	if (order > 0 || (order == 0 && previous->partition >= partition))
		fail_msg("%s (%d) after %s (%d)", key, partition, previous->key,
			 previous->partition);
	assert_int_equal(state_key_parse(previous->arena, key, strlen(key), &parsed), 0);
	snprintf(previous->key, sizeof(previous->key), "%s", key);
	previous->partition = partition;
	previous->count++;
	return 0;
}

/* Names on both sides of "/" and "%", whose escapes sort elsewhere than they do. */
static void a_dump_is_sorted_by_key_and_partition(void **state) {
	static const char *const names[] = { "a",  "a!",  "a/b", "a%", "A",   "a0",
					     "a/", "%2F", "/",   "ü",  "a b", "-" };
	struct fixture *f = *state;
	struct previous previous = { .partition = -1, .arena = f->arena };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (size_t j = 0; j < ARRAY_LEN(names); j++)
			put(f, (int32_t)(j % 3), receipt_of(names[i], names[j], 1));
		put(f, 1, webhook_of(names[i], (uint32_t)i, 1));
		put(f, 1, signing_key_of(names[i], "kid", 1, 0));
		put(f, 2, signing_key_of(names[i], "kid", 1, 0));
		put(f, 0, delivery_of((uint32_t)(i * 0x10000000u), 1, DELIVERY_PENDING, 1));
	}
	put(f, 1, delivery_of(0, 1, DELIVERY_PENDING, 1));
	put(f, 10, position_of(1));
	put(f, 9, position_of(1));
	assert_int_equal(replica_dump(f->replica, check_order, &previous), 0);
	assert_int_equal(previous.count, ARRAY_LEN(names) * (ARRAY_LEN(names) + 4) + 3);
}

static int stop_at_second(void *userdata, const char *key, int32_t partition, const void *value,
			  size_t len) {
	(void)key, (void)partition, (void)value, (void)len;
	return ++*(int *)userdata == 2 ? -ECANCELED : 0;
}

static void a_dump_stops_when_told(void **state) {
	struct fixture *f = *state;
	int seen = 0;

	for (uint32_t n = 0; n < 5; n++)
		put(f, 0, webhook_of("t", n, 1));
	assert_int_equal(replica_dump(f->replica, stop_at_second, &seen), -ECANCELED);
	assert_int_equal(seen, 2);
	assert_int_equal(replica_begin(f->replica), 0); /* no transaction was left open */
	assert_int_equal(replica_commit(f->replica), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_kind_is_idempotent),
		TEST(a_rollback_forgets_and_a_commit_keeps),
		TEST(offset_and_position_are_each_partition_s_own),
		TEST(a_dropped_partition_leaves_the_others),
		TEST(a_dump_is_sorted_by_key_and_partition),
		TEST(a_dump_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
