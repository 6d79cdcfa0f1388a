/* A copied part of a text ends where the part does. */
#include "base/memory.h"
#include "unit.h"

static void a_part_of_a_text_is_copied(void **state _unused_) {
	static const char unterminated[] = { 'a', 'b', 'c' };
	static const struct {
		const char *name, *text;
		size_t len;
		const char *copied;
	} rows[] = {
		{ "nothing of it", "abc", 0, "" },
		{ "its beginning", "abc", 2, "ab" },
		{ "all of it", "abc", 3, "abc" },
		{ "it ends before the bound", "abc", 10, "abc" },
		{ "bytes without an end", unterminated, sizeof(unterminated), "abc" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(x_freep) char *copy = x_strndup(rows[i].text, rows[i].len);

		print_message("%s\n", rows[i].name);
		assert_string_equal(copy, rows[i].copied);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_of_a_text_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
