/* When commands wait for deliveries, and turns for both. Times in microseconds. */
#include "base/memory.h"
#include "pipeline/pace.h"
#include "unit.h"

static void commands_wait_where_threads_cannot_keep_up(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t now_us;
		uint64_t worked_us; /* since the start, of two threads */
		size_t waiting;
		bool is_ahead;
	} rows[] = {
		{ "nothing is known yet", 1000000, 0, 1024, false },
		{ "too soon to look again", 1010000, 20000, 1024, false },
		{ "busy for all of the time, with much to do", 1020000, 40000, 1024, true },
		{ "and on: a look within 20 ms keeps the judgement", 1030000, 40000, 1024, true },
		{ "busy for just a third of the time", 1050000, 60000, 1024, false },
		{ "a little more than that", 1080000, 80001, 1024, true },
		{ "busy, and there is little to do", 1100000, 120000, 1023, false },
		{ "busy, and much again", 1120000, 160000, 1024, true },
		{ "for a second", 2100000, 1900000, 1024, true },
		{ "and no longer", 2101000, 1900000, 1024, false },
		{ "then it waits again", 2121000, 1940000, 1024, true },
		{ "they rest", 2200000, 1940000, 1024, false },
	};
	struct pace pace = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pace_sight sight = { rows[i].now_us, rows[i].worked_us, 2, rows[i].waiting };

		print_message("%s\n", rows[i].name);
		assert_int_equal(pace_is_ahead(&pace, &sight), rows[i].is_ahead);
	}
}

enum { NOW_US = 10 * 1000 * 1000, MS = 1000 };

/* Threads that are always busy, a turn of 30 ms every 100 ms, with 1,000 outcomes each. */
static struct pace loaded(void) {
	struct pace pace = { .is_busy = true, .asked_us = NOW_US };

	for (int64_t us = NOW_US - 1000 * MS; us <= NOW_US; us += 100 * MS)
		pace_turned(&pace, us - 30 * MS, us, 1000);
	return pace;
}

static struct pace_sight sight_at(int64_t after_us, size_t waiting) {
	return (struct pace_sight){ NOW_US + after_us, (uint64_t)after_us, 1, waiting };
}

static void turns_wait_while_the_threads_have_enough(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t after_us; /* the last turn's end */
		size_t waiting;
		bool rests, puts_off;
	} rows[] = {
		{ "nothing waits for the threads: idle, or they keep up", 0, 0, false, false },
		{ "what waits lasts as long as a turn", 0, 300, false, false },
		{ "it lasts longer", 0, 301, false, true },
		{ "still, but it has been long", 249 * MS, 5000, false, true },
		{ "it has been too long", 250 * MS, 5000, false, false },
		{ "what waits does not become less: the threads rest", 30 * MS, 5000, true, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pace pace = loaded();
		struct pace_sight sight = sight_at(rows[i].after_us, rows[i].waiting);

		print_message("%s\n", rows[i].name);
		sight.worked_us = rows[i].rests ? 0 : sight.worked_us;
		assert_int_equal(pace_puts_off(&pace, &sight), rows[i].puts_off);
	}
}

static void an_undone_turn_is_not_followed_by_a_wait(void **state _unused_) {
	struct pace pace = loaded();
	struct pace_sight sight = sight_at(0, 5000);

	assert_true(pace_puts_off(&pace, &sight));
	pace_undone(&pace);
	assert_false(pace_puts_off(&pace, &sight));
	pace_turned(&pace, NOW_US, NOW_US + 30 * MS, 1000);
	sight = sight_at(30 * MS, 5000);
	assert_true(pace_puts_off(&pace, &sight));
}

/* A turn with commands is long; one without may come before it. */
static void a_short_turn_does_not_hide_a_long_one(void **state _unused_) {
	struct pace pace = loaded();
	struct pace_sight sight;

	pace_turned(&pace, NOW_US, NOW_US + 1 * MS, 0);
	sight = sight_at(1 * MS, 220);
	assert_false(pace_puts_off(&pace, &sight));
	for (int i = 0; i < 10; i++)
		pace_turned(&pace, NOW_US, NOW_US + 1 * MS, 0);
	assert_true(pace_puts_off(&pace, &sight));
}

/* 1,000 attempts end in 100 ms: 3,100 in a wait and two turns. */
static void commands_wait_while_there_is_enough_for_a_round(void **state _unused_) {
	struct pace pace = loaded();
	struct pace_sight sight = sight_at(0, 3099);

	pace.took_us = NOW_US;
	assert_false(pace_is_ahead(&pace, &sight));
	sight.waiting = 3100;
	assert_true(pace_is_ahead(&pace, &sight));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_wait_where_threads_cannot_keep_up),
		cmocka_unit_test(turns_wait_while_the_threads_have_enough),
		cmocka_unit_test(an_undone_turn_is_not_followed_by_a_wait),
		cmocka_unit_test(a_short_turn_does_not_hide_a_long_one),
		cmocka_unit_test(commands_wait_while_there_is_enough_for_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
