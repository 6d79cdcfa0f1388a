/* How long a producer is held up by the brokers' quota. */
#include "base/memory.h"
#include "rdkafka/throttle.h"
#include "unit.h"

static void a_transaction_waits_until_it_is_over(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t now_ms;
		int reported_ms; /* -1: nothing */
		int64_t left_ms;
		bool is_outlived;
	} rows[] = {
		{ "nothing yet", 1000, -1, 0, false },
		{ "no throttle", 1000, 0, 0, false },
		{ "half a second", 1000, 500, 500, false },
		{ "a part of it is over", 1300, -1, 200, false },
		{ "another broker's is shorter", 1300, 100, 200, false },
		{ "a response that waited for none says nothing of the connection", 1300, 0, 200,
		  false },
		{ "over", 1500, -1, 0, false },
		{ "five minutes", 2000, 300000, 12000, false },
		{ "the quota has forgotten: a new connection is quicker", 14000, -1, 0, true },
		{ "as long as it lasts", 301999, -1, 0, true },
		{ "over as well", 302000, -1, 0, false },
	};
	struct throttle throttle = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		if (rows[i].reported_ms >= 0)
			throttle_note(&throttle, rows[i].reported_ms, rows[i].now_ms);
		assert_int_equal(throttle_left_ms(&throttle, rows[i].now_ms), rows[i].left_ms);
		assert_int_equal(throttle_is_outlived(&throttle, rows[i].now_ms),
				 rows[i].is_outlived);
	}
}

static void what_is_reported_is_taken_once(void **state _unused_) {
	struct throttle throttle = { 0 };

	throttle_note(&throttle, 100, 1000);
	throttle_note(&throttle, 200, 1000);
	assert_int_equal(throttle_take(&throttle), 300);
	assert_int_equal(throttle_take(&throttle), 0);
	assert_int_equal(throttle_left_ms(&throttle, 1000), 200);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transaction_waits_until_it_is_over),
		cmocka_unit_test(what_is_reported_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
