/* What a dead letter keeps of a record, and that there is one which fits. */
#include "base/memory.h"
#include "pipeline/dead_letter.h"
#include "unit.h"

static void a_letter_keeps_what_fits(void **state _unused_) {
	static const struct {
		const char *name;
		struct letter_size whole;
		size_t max;
		struct letter_size kept;
	} rows[] = {
		{ "all of it",
		  { .key = 10, .value = 50, .headers = 40 },
		  100,
		  { .key = 10, .value = 50, .headers = 40 } },
		{ "the value is cut first",
		  { .key = 10, .value = 51, .headers = 40 },
		  100,
		  { .key = 10, .value = 50, .headers = 40 } },
		{ "to nothing, if it must be",
		  { .key = 60, .value = 8, .headers = 40 },
		  100,
		  { .key = 60, .value = 0, .headers = 40 } },
		{ "then headers are left out",
		  { .key = 61, .value = 8, .headers = 40 },
		  100,
		  { .key = 61, .value = 8, .headers = 0 } },
		{ "which leaves room for the value",
		  { .key = 10, .value = 500, .headers = 99 },
		  100,
		  { .key = 10, .value = 90, .headers = 0 } },
		{ "then the key is cut",
		  { .key = 101, .value = 8, .headers = 0 },
		  100,
		  { .key = 100, .value = 0, .headers = 0 } },
		{ "all of them too large",
		  { .key = 1000, .value = 1000, .headers = 1000 },
		  100,
		  { .key = 100, .value = 0, .headers = 0 } },
		{ "nothing is kept", { .key = 10, .value = 10, .headers = 10 }, 0, { 0 } },
		{ "of nothing", { 0 }, 0, { 0 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct letter_size kept = letter_fit(&rows[i].whole, rows[i].max);

		print_message("%s\n", rows[i].name);
		assert_int_equal(kept.key, rows[i].kept.key);
		assert_int_equal(kept.value, rows[i].kept.value);
		assert_int_equal(kept.headers, rows[i].kept.headers);
	}
}

/* Whatever a topic takes, it is asked a few times only. */
static void the_limit_falls_until_a_letter_fits(void **state _unused_) {
	struct letter_limit limit = letter_limit_new();
	size_t before = limit.bytes;
	int refusals = 0;

	assert_false(letter_limit_is_low(&limit));
	for (; limit.bytes > 0; refusals++) {
		letter_limit_refused(&limit, 5);
		assert_true(limit.bytes < before);
		assert_true(letter_limit_is_low(&limit));
		assert_false(limit.is_refused);
		before = limit.bytes;
	}
	assert_in_range(refusals, 1, 5);
	letter_limit_refused(&limit, 5);
	assert_true(limit.is_refused);
}

static void a_mended_topic_gets_whole_letters_again(void **state _unused_) {
	struct letter_limit limit = letter_limit_new();

	letter_limit_renew(&limit, INT64_MAX);
	assert_int_equal(limit.bytes, LETTER_MAX);
	letter_limit_refused(&limit, 1000);
	assert_true(limit.until_ms > 1000);
	letter_limit_renew(&limit, limit.until_ms - 1);
	assert_true(letter_limit_is_low(&limit));
	letter_limit_renew(&limit, limit.until_ms);
	assert_int_equal(limit.bytes, LETTER_MAX);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_keeps_what_fits),
		cmocka_unit_test(the_limit_falls_until_a_letter_fits),
		cmocka_unit_test(a_mended_topic_gets_whole_letters_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
