/* Folding the changelog. */
#include "restore/fold.h"
#include "unit.h"

#include <stdio.h>

static void put_from(struct fold *fold, uint32_t source, const char *key, const char *value) {
	fold_put(fold, source, key, strlen(key), value, value ? strlen(value) : 0);
}

static void put(struct fold *fold, const char *key, const char *value) {
	put_from(fold, 1, key, value);
}

/* Takes at most `max` entries: "source:key=value;", a tombstone's value is "-". */
static const char *take(struct fold *fold, int max) {
	static char text[256];
	struct fold_entry entry;

	text[0] = '\0';
	for (size_t len = 0; max-- > 0 && fold_take(fold, &entry); len = strlen(text)) {
		assert_int_equal(strlen(entry.key), entry.key_len);
		snprintf(text + len, sizeof(text) - len, "%u:%s=%.*s;", entry.source, entry.key,
			 entry.value ? (int)entry.value_len : 1,
			 entry.value ? (const char *)entry.value : "-");
	}
	return text;
}

static void last_value_of_each_key_in_order(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();

	put(fold, "b", "1");
	put(fold, "a/2", "2");
	put(fold, "b", "33");
	put(fold, "a", "4");
	put(fold, "gone", "5");
	put(fold, "gone", NULL);
	assert_string_equal(take(fold, 9), "1:a=4;1:a/2=2;1:b=33;1:gone=-;");
	assert_int_equal(fold_count(fold), 0);
	assert_int_equal(fold_bytes(fold), 0);
}

static void a_key_of_two_sources_stays_two(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();

	put_from(fold, 2, "a", "1");
	put_from(fold, 1, "a", "2");
	put_from(fold, 2, "a", "3");
	assert_string_equal(take(fold, 9), "1:a=2;2:a=3;");
}

static void is_taken_from_in_parts_and_filled_again(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();

	put(fold, "b", "1");
	put(fold, "a", "2");
	assert_false(fold_is_sorted(fold));
	assert_string_equal(take(fold, 1), "1:a=2;");
	assert_true(fold_is_sorted(fold));
	assert_int_equal(fold_count(fold), 1);
	assert_string_equal(take(fold, 9), "1:b=1;");
	assert_false(fold_is_sorted(fold));
	put(fold, "c", "3");
	assert_string_equal(take(fold, 9), "1:c=3;");
}

static int by_bytes(const void *a, const void *b) {
	return strcmp(a, b);
}

/* Keys that begin alike for more than a word, that end inside of one, and that come often. */
static void sorts_as_the_bytes_do(void **state _unused_) {
	enum { COUNT = 3000 };
	static const char *const stems[] = {
		"delivery/", "receipt/tenant-000/command-", "receipt/tenant-000", "key/", "",
		"\xc3\xa9"
	};
	_cleanup_(fold_freep) struct fold *fold = fold_new();
	static char keys[COUNT][64];
	struct fold_entry entry;
	uint32_t random = 1;

	for (size_t i = 0; i < COUNT; i++) {
		random = random * 1664525 + 1013904223;
		snprintf(keys[i], sizeof(keys[i]), "%sx%u",
			 stems[random >> 8 & 3 ? i % ARRAY_LEN(stems) : 0], random >> 20 & 0x3ff);
		put(fold, keys[i], keys[i]);
	}
	qsort(keys, COUNT, sizeof(keys[0]), by_bytes);
	for (size_t i = 0; i < COUNT; i++) {
		if (i + 1 < COUNT && strcmp(keys[i], keys[i + 1]) == 0)
			continue;
		assert_true(fold_take(fold, &entry));
		assert_string_equal(entry.key, keys[i]);
	}
	assert_false(fold_take(fold, &entry));
}

/* No key of ours holds a NUL; one that came from elsewhere must not hang the sorting. */
static void keys_may_end_with_nuls(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();
	struct fold_entry entry;

	fold_put(fold, 1, "a\0", 2, "2", 1);
	fold_put(fold, 1, "a", 1, "1", 1);
	fold_put(fold, 1, "a\0\0", 3, "3", 1);
	for (size_t len = 1; len <= 3; len++) {
		assert_true(fold_take(fold, &entry));
		assert_int_equal(entry.key_len, len);
	}
	assert_false(fold_take(fold, &entry));
}

static void bytes_follow_what_was_put(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();
	static char large[4 * 1024 * 1024];
	size_t before;

	put(fold, "a", "1");
	before = fold_bytes(fold);
	fold_put(fold, 1, "a", 1, large, sizeof(large));
	assert_in_range(fold_bytes(fold) - before, sizeof(large), sizeof(large) + 1024);
	fold_clear(fold);
	assert_int_equal(fold_bytes(fold), 0);
	assert_int_equal(fold_count(fold), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_value_of_each_key_in_order),
		cmocka_unit_test(a_key_of_two_sources_stays_two),
		cmocka_unit_test(is_taken_from_in_parts_and_filled_again),
		cmocka_unit_test(sorts_as_the_bytes_do),
		cmocka_unit_test(keys_may_end_with_nuls),
		cmocka_unit_test(bytes_follow_what_was_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
