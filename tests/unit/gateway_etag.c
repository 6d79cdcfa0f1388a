/* Entity tags: of bytes, and in If-None-Match. */
#include "base/memory.h"
#include "gateway/etag.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *header;
	bool is_named;
} rows[] = {
	{ "no header", NULL, false },
	{ "an empty one", "", false },
	{ "the tag", "\"abc\"", true },
	{ "the weak tag", "W/\"abc\"", true },
	{ "among others", "\"x\", W/\"y\" ,\t\"abc\"", true },
	{ "any", "*", true },
	{ "another tag", "\"abd\"", false },
	{ "a longer tag", "\"abcd\"", false },
	{ "a part of it", "\"ab\"", false },
	{ "without quotes", "abc", false },
};

static void a_header_names_a_tag_or_not(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (etag_is_named(rows[i].header, "\"abc\"") == rows[i].is_named)
			continue;
		print_error("%s\n", rows[i].name);
		fail();
	}
}

static void the_same_bytes_have_the_same_tag(void **state _unused_) {
	char one[ETAG_SIZE], again[ETAG_SIZE], other[ETAG_SIZE];

	etag_make(one, "abc", 3);
	etag_make(again, "abcd", 3);
	etag_make(other, "abd", 3);
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	assert_int_equal(one[0], '"');
	assert_int_equal(one[strlen(one) - 1], '"');
	assert_int_equal(strlen(one), 24);
	assert_true(etag_is_named(one, again));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_names_a_tag_or_not),
		cmocka_unit_test(the_same_bytes_have_the_same_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
