#include "command/newest.h"
#include "unit.h"

#include <stdio.h>

static size_t freed;

static void free_item(void *item) {
	freed++;
	free(item);
}

static void add(struct newest *newest, int64_t time_ms, int32_t partition, int64_t offset) {
	newest_add(newest, &(struct newest_place){ time_ms, partition, offset },
		   x_asprintf("%lld/%d/%lld", (long long)time_ms, partition, (long long)offset));
}

static void assert_items(struct newest *newest, const char *const *expected) {
	size_t count = newest_sort(newest);

	for (size_t i = 0; i < count; i++)
		assert_string_equal(newest_get(newest, i), expected[i]);
	assert_null(expected[count]);
}

static void items_are_ordered(void **state _unused_) {
	_cleanup_(newest_freep) struct newest *newest = newest_new(10, free_item);

	add(newest, 2, 0, 0);
	add(newest, 1, 1, 7);
	add(newest, 1, 1, 6);
	add(newest, 1, 0, 9);
	assert_items(newest, (const char *const[]){ "1/0/9", "1/1/6", "1/1/7", "2/0/0", NULL });
	add(newest, 0, 0, 1);
	assert_items(newest,
		     (const char *const[]){ "0/0/1", "1/0/9", "1/1/6", "1/1/7", "2/0/0", NULL });
}

static void an_empty_list_has_no_items(void **state _unused_) {
	_cleanup_(newest_freep) struct newest *newest = newest_new(1, free_item);

	assert_items(newest, (const char *const[]){ NULL });
	assert_int_equal(newest_added(newest), 0);
}

/* Whatever the order in which they come. */
static void only_the_newest_of_many_stay(void **state _unused_) {
	enum { MANY = 10007, STEP = 7919 };
	struct newest *newest = newest_new(3, free_item);

	freed = 0;
	for (int64_t i = 0; i < MANY; i++)
		add(newest, i * STEP % MANY, 0, 0);
	assert_items(newest, (const char *const[]){ "10004/0/0", "10005/0/0", "10006/0/0", NULL });
	assert_int_equal(newest_added(newest), MANY);
	assert_int_equal(freed, MANY - 3);
	newest_free(newest);
	assert_int_equal(freed, MANY);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_ordered),
		cmocka_unit_test(an_empty_list_has_no_items),
		cmocka_unit_test(only_the_newest_of_many_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
