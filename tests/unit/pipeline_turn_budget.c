/* The size of a turn, and of the next one. */
#include "base/memory.h"
#include "pipeline/turn_budget.h"
#include "unit.h"

enum { MAX_COMMANDS = 100, TIME_MS = 200 };

static void a_turn_ends(void **state _unused_) {
	static const struct {
		const char *name;
		struct turn_spent spent;
		bool allows, allows_outcome;
	} rows[] = {
		{ "nothing yet", { 0, 0, 0 }, true, true },
		{ "one command is always handled, after whatever outcomes",
		  { 0, TURN_WRITTEN_MAX, 1000 },
		  true,
		  false },
		{ "room for all", { 1, 100, 10 }, true, true },
		{ "one command short of the batch", { MAX_COMMANDS - 1, 100, 10 }, true, true },
		{ "the batch is full", { MAX_COMMANDS, 100, 10 }, false, true },
		{ "half of the bytes are written", { 1, TURN_WRITTEN_MAX / 2, 10 }, true, false },
		{ "all of them", { 1, TURN_WRITTEN_MAX, 10 }, false, false },
		{ "far more, by one command",
		  { 1, 5 * (size_t)TURN_WRITTEN_MAX, 10 },
		  false,
		  false },
		{ "half of the time is over", { 1, 100, TIME_MS / 2 }, true, false },
		{ "all of it", { 1, 100, TIME_MS }, false, false },
		{ "one outcome is always handled", { 0, 0, TIME_MS }, true, true },
	};
	struct turn_budget budget = turn_budget_new(MAX_COMMANDS, TIME_MS);

	budget.commands = MAX_COMMANDS;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(turn_budget_allows(&budget, &rows[i].spent), rows[i].allows);
		assert_int_equal(turn_budget_allows_outcome(&budget, &rows[i].spent),
				 rows[i].allows_outcome);
	}
}

/* Where one comes to more than a turn writes, what others asked before it is committed first. */
static void what_is_large_has_a_turn_of_its_own(void **state _unused_) {
	static const struct {
		const char *name;
		struct turn_spent spent;
		size_t bytes;
		bool allows;
	} rows[] = {
		{ "a small one, at the beginning", { 0, 0, 0 }, 1000, true },
		{ "a large one, at the beginning",
		  { 0, 0, 0 },
		  2 * (size_t)TURN_WRITTEN_MAX,
		  true },
		{ "a large one, after outcomes of attempts",
		  { 0, TURN_WRITTEN_MAX / 2, 0 },
		  2 * (size_t)TURN_WRITTEN_MAX,
		  true },
		{ "a small one, after another", { 1, 1000, 0 }, 1000, true },
		{ "a large one, after a small one",
		  { 1, 1000, 0 },
		  2 * (size_t)TURN_WRITTEN_MAX,
		  false },
		{ "all that is left", { 1, 1000, 0 }, TURN_WRITTEN_MAX - 1000, true },
		{ "a byte more than what is left", { 1, 1000, 0 }, TURN_WRITTEN_MAX - 999, false },
		{ "nothing, in a turn that is full", { 9, TURN_WRITTEN_MAX, 0 }, 0, true },
	};
	struct turn_budget budget = turn_budget_new(MAX_COMMANDS, TIME_MS);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(turn_budget_allows_bytes(&budget, &rows[i].spent, rows[i].bytes),
				 rows[i].allows);
	}
}

/* However many commands wait: a process that dies of one has committed those before it. */
static void a_batch_begins_with_one_and_grows_with_what_was_committed(void **state _unused_) {
	static const struct {
		const char *name;
		size_t handled; /* SIZE_MAX: the turn is undone */
		size_t next;
	} rows[] = {
		{ "the first one", 1, 2 },
		{ "full", 2, 4 },
		{ "full", 4, 8 },
		{ "not full: nothing is known of a larger one", 3, 8 },
		{ "none", 0, 8 },
		{ "full", 8, 16 },
		{ "and so on", 16, 32 },
		{ "and so on", 32, 64 },
		{ "as many as are configured", 64, MAX_COMMANDS },
		{ "no more than that", MAX_COMMANDS, MAX_COMMANDS },
		{ "undone: an eighth", SIZE_MAX, 12 },
		{ "undone again", SIZE_MAX, 1 },
		{ "one is the least", SIZE_MAX, 1 },
		{ "and from there as at the start", 1, 2 },
	};
	struct turn_budget budget = turn_budget_new(MAX_COMMANDS, TIME_MS);

	assert_int_equal(budget.commands, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		if (rows[i].handled == SIZE_MAX)
			turn_budget_undone(&budget, &(struct turn_passed){ 0 });
		else
			turn_budget_committed(&budget,
					      &(struct turn_passed){ .commands = rows[i].handled });
		assert_int_equal(budget.commands, rows[i].next);
	}
}

/* Where commits are slow half of the time is for commands. */
static void the_time_is_as_long_as_the_last_commit(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t commit_ms; /* -1: the turn is undone */
		int64_t time_ms;
	} rows[] = {
		{ "a quick commit: batch.max.wait", 10, TIME_MS },
		{ "as quick as that", TIME_MS, TIME_MS },
		{ "a slow one", 500, 500 },
		{ "slower than any turn may be", 30000, TURN_TIME_MAX_MS },
		{ "quick again", 1, TIME_MS },
		{ "slow again", 700, 700 },
		{ "undone: nothing is known of the next", -1, TIME_MS },
	};
	struct turn_budget budget = turn_budget_new(MAX_COMMANDS, TIME_MS);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		if (rows[i].commit_ms < 0)
			turn_budget_undone(&budget, &(struct turn_passed){ 0 });
		else
			turn_budget_committed(
			    &budget,
			    &(struct turn_passed){ .commands = 1, .commit_ms = rows[i].commit_ms });
		assert_int_equal(budget.time_ms, rows[i].time_ms);
	}
	budget = turn_budget_new(MAX_COMMANDS, 5000);
	turn_budget_committed(&budget, &(struct turn_passed){ .commands = 1, .commit_ms = 100 });
	assert_int_equal(budget.time_ms, 5000);
}

enum { KB = 1000, MB = 1000 * 1000, MAX_BYTES = TURN_WRITTEN_MAX };

/* What the brokers do not take in good time would be aborted. */
static const struct {
	const char *name;
	bool is_undone;
	struct turn_passed passed;
	size_t bytes; /* of the next turn */
} byte_rows[] = {
	{ "small and quick", false, { .bytes = 10 * KB, .commit_ms = 10 }, MAX_BYTES },
	{ "large and quick", false, { .bytes = 15 * MB, .commit_ms = 400 }, MAX_BYTES },
	{ "small, and the brokers are slow: it is not for its bytes",
	  false,
	  { .bytes = 10 * KB, .commit_ms = 2000 },
	  MAX_BYTES },
	{ "large, and they are slow", false, { .bytes = 8 * MB, .commit_ms = 8000 }, 4 * MB },
	{ "a little, and they are very slow",
	  false,
	  { .bytes = 10 * KB, .commit_ms = 9000 },
	  TURN_WRITTEN_LEAST },
	{ "they are quick again",
	  false,
	  { .bytes = 200 * KB, .commit_ms = 10 },
	  2 * TURN_WRITTEN_LEAST },
	{ "a turn with little tells nothing",
	  false,
	  { .bytes = 100 * KB, .commit_ms = 10 },
	  2 * TURN_WRITTEN_LEAST },
	{ "they throttle: 100 kB in a second",
	  false,
	  { .bytes = 200 * KB, .commit_ms = 1500, .held_up_ms = 500, .is_throttled = true },
	  100 * KB },
	{ "a little more than that",
	  false,
	  { .bytes = 100 * KB, .commit_ms = 400, .held_up_ms = 400, .is_throttled = true },
	  112 * KB + 501 },
	{ "it is undone, and they had taken 6 kB in 12 s",
	  true,
	  { .bytes = 6 * KB, .commit_ms = 12000, .is_throttled = true },
	  500 },
	{ "one command that comes to more changes nothing",
	  false,
	  { .bytes = 9 * KB, .commit_ms = 10000, .is_throttled = true },
	  500 },
	{ "they took nothing at all",
	  true,
	  { .bytes = 0, .commit_ms = 12000, .is_throttled = true },
	  1 },
	{ "at most twice as much as before", false, { .bytes = 9 * KB, .commit_ms = 10 }, 2 },
	{ "undone at once: for another reason", true, { .bytes = 0, .commit_ms = 1 }, 2 },
};

static void the_bytes_are_what_the_brokers_take(void **state _unused_) {
	struct turn_budget budget = turn_budget_new(MAX_COMMANDS, TIME_MS);

	for (size_t i = 0; i < ARRAY_LEN(byte_rows); i++) {
		print_message("%s\n", byte_rows[i].name);
		if (byte_rows[i].is_undone)
			turn_budget_undone(&budget, &byte_rows[i].passed);
		else
			turn_budget_committed(&budget, &byte_rows[i].passed);
		assert_int_equal(budget.bytes, byte_rows[i].bytes);
	}
}

/* And they bound commands and outcomes. */
static void a_turn_ends_with_its_bytes(void **state _unused_) {
	struct turn_budget budget = turn_budget_new(MAX_COMMANDS, TIME_MS);

	budget.commands = MAX_COMMANDS;
	budget.bytes = 1000;
	assert_true(turn_budget_allows(&budget, &(struct turn_spent){ 1, 999, 0 }));
	assert_false(turn_budget_allows(&budget, &(struct turn_spent){ 1, 1000, 0 }));
	assert_true(turn_budget_allows_bytes(&budget, &(struct turn_spent){ 1, 900, 0 }, 100));
	assert_false(turn_budget_allows_bytes(&budget, &(struct turn_spent){ 1, 900, 0 }, 101));
	assert_true(turn_budget_allows_bytes(&budget, &(struct turn_spent){ 0, 900, 0 }, 101));
	assert_true(turn_budget_allows_outcome(&budget, &(struct turn_spent){ 0, 499, 0 }));
	assert_false(turn_budget_allows_outcome(&budget, &(struct turn_spent){ 0, 500, 0 }));
	assert_true(turn_budget_allows_report(&budget, &(struct turn_spent){ 0, 999, 9999 }));
	assert_false(turn_budget_allows_report(&budget, &(struct turn_spent){ 0, 1000, 0 }));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_ends),
		cmocka_unit_test(what_is_large_has_a_turn_of_its_own),
		cmocka_unit_test(a_batch_begins_with_one_and_grows_with_what_was_committed),
		cmocka_unit_test(the_time_is_as_long_as_the_last_commit),
		cmocka_unit_test(the_bytes_are_what_the_brokers_take),
		cmocka_unit_test(a_turn_ends_with_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
