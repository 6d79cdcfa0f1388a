/* Whole numbers in text. */
#include "base/number.h"
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

struct row {
	const char *name, *text;
	int64_t min, max;
	bool is_number;
	int64_t number;
};

static const struct row rows[] = {
	{ "digits", "120", 0, 1000, true, 120 },
	{ "zero", "0", 0, 1000, true, 0 },
	{ "zeros before", "007", 0, 1000, true, 7 },
	{ "negative", "-3", -5, 5, true, -3 },
	{ "the least", "-5", -5, 5, true, -5 },
	{ "the most", "5", -5, 5, true, 5 },
	{ "the least of all", "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
	{ "the most of all", "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
	{ "less than the least", "-6", -5, 5, false, 0 },
	{ "more than the most", "6", -5, 5, false, 0 },
	{ "more than a number holds", "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
	{ "empty", "", 0, 1000, false, 0 },
	{ "a lone minus", "-", -5, 5, false, 0 },
	{ "a plus", "+1", 0, 1000, false, 0 },
	{ "a blank before", " 1", 0, 1000, false, 0 },
	{ "a blank behind", "1 ", 0, 1000, false, 0 },
	{ "a blank behind the minus", "- 1", -5, 5, false, 0 },
	{ "two minuses", "--1", -5, 5, false, 0 },
	{ "a letter behind", "1s", 0, 1000, false, 0 },
	{ "hexadecimal", "0x10", 0, 1000, false, 0 },
	{ "a fraction", "1.5", 0, 1000, false, 0 },
};

static void text_is_a_number_or_refused(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		int64_t number = 0;
		bool is_number = number_parse(row->text, row->min, row->max, &number) == 0;

		if (is_number != row->is_number || number != row->number) {
			print_error("%s: %d, %lld\n", row->name, is_number, (long long)number);
			fail();
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_a_number_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
