/* Whether records in another partition than their key's are handed on. */
#include "base/memory.h"
#include "pipeline/reroute.h"
#include "unit.h"

enum { MINUTE_MS = 60 * 1000, NOW_MS = 1000 };

static void who_may_not_write_does_not_try_for_some_minutes(void **state _unused_) {
	static const struct {
		const char *name;
		bool is_on, is_refused[POSITION_INPUTS];
		int64_t later_ms;
		bool may[POSITION_INPUTS];
	} rows[] = {
		{ "nothing is known", true, { 0 }, 0, { true, true, true } },
		{ "input.reroute=false", false, { 0 }, 0, { 0 } },
		{ "one input is refused", true, { true }, 0, { false, true, true } },
		{ "the other one is", true, { false, true }, 0, { true, false, true } },
		{ "the third is", true, { false, false, true }, 0, { true, true, false } },
		{ "all are", true, { true, true, true }, 0, { 0 } },
		{ "a few minutes later", true, { true, true, true }, 5 * MINUTE_MS, { 0 } },
		{ "after a quarter of an hour",
		  true,
		  { true, true, true },
		  15 * MINUTE_MS,
		  { true, true, true } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reroute reroute = reroute_new(rows[i].is_on);
		struct transaction_end ended = { 0 };
		int64_t later_ms = NOW_MS + rows[i].later_ms;

		print_message("%s\n", rows[i].name);
		ended.may_not_write[TOPIC_ADMIN] = rows[i].is_refused[INPUT_ADMIN];
		ended.may_not_write[TOPIC_ISSUANCE] = rows[i].is_refused[INPUT_ISSUANCE];
		ended.may_not_write[TOPIC_EVENTS] = rows[i].is_refused[INPUT_EVENT];
		reroute_heed(&reroute, &ended, NOW_MS);
		print_message("a transaction without a refusal forgets none\n");
		reroute_heed(&reroute, &(struct transaction_end){ 0 }, NOW_MS);
		for (int input = 0; input < POSITION_INPUTS; input++)
			assert_int_equal(reroute_may(&reroute, (enum input)input, later_ms),
					 rows[i].may[input]);
		assert_int_equal(reroute_may_write(&reroute, INPUT_ADMIN, later_ms),
				 !rows[i].is_on || rows[i].may[INPUT_ADMIN]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_not_write_does_not_try_for_some_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
