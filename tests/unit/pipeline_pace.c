/* When commands wait for deliveries. Times in microseconds. */
#include "base/memory.h"
#include "pipeline/pace.h"
#include "unit.h"

static void commands_wait_where_threads_cannot_keep_up(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t now_us;
		uint64_t worked_us; /* since the start, of two threads */
		bool has_broad_backlog, is_ahead;
	} rows[] = {
		{ "nothing is known yet", 1000000, 0, true, false },
		{ "too soon to look again", 1010000, 20000, true, false },
		{ "busy for all of the time, with much to do", 1020000, 40000, true, true },
		{ "and on: a look within 20 ms keeps the judgement", 1030000, 40000, true, true },
		{ "busy for just a third of the time", 1050000, 60000, true, false },
		{ "a little more than that", 1080000, 80001, true, true },
		{ "busy, and there is little to do", 1100000, 120000, false, false },
		{ "busy, and much again", 1120000, 160000, true, true },
		{ "for half a second", 1600000, 900000, true, true },
		{ "and no longer", 1601000, 900000, true, false },
		{ "then it waits again", 1621000, 940000, true, true },
		{ "they rest", 1700000, 940000, true, false },
	};
	struct pace pace = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pace_sight sight = { rows[i].now_us, rows[i].worked_us, 2,
					    rows[i].has_broad_backlog };

		print_message("%s\n", rows[i].name);
		assert_int_equal(pace_is_ahead(&pace, &sight), rows[i].is_ahead);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_wait_where_threads_cannot_keep_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
