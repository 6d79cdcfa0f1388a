#include "base/backoff.h"
#include "unit.h"

static void pauses_grow_to_their_bound(void **state) {
	static const int64_t pauses[] = { 100, 200, 400, 800, 1000, 1000 };
	struct backoff backoff = { 0 };

	(void)state;
	assert_true(backoff_is_over(&backoff, 0));
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		backoff_fail(&backoff, 5000, 100, 1000);
		assert_int_equal(backoff.until_ms, 5000 + pauses[i]);
		assert_false(backoff_is_over(&backoff, backoff.until_ms - 1));
		assert_true(backoff_is_over(&backoff, backoff.until_ms));
		assert_int_equal(backoff.failures, (int)i + 1);
	}
	for (int i = 0; i < 1000; i++)
		backoff_fail(&backoff, 0, 100, 60000);
	assert_int_equal(backoff.until_ms, 60000);
	backoff_clear(&backoff);
	assert_true(backoff_is_over(&backoff, 0));
}

static void a_refusal_is_asked_about_every_ten_seconds_at_last(void **state) {
	struct backoff backoff = { 0 };

	(void)state;
	backoff_refuse(&backoff, 5000);
	assert_int_equal(backoff.until_ms, 6000);
	for (int i = 0; i < 10; i++)
		backoff_refuse(&backoff, 5000);
	assert_int_equal(backoff.until_ms, 15000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_to_their_bound),
		cmocka_unit_test(a_refusal_is_asked_about_every_ten_seconds_at_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
