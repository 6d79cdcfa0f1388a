/* The states of a partition, each arrow; and its part of a turn. */
#include "base/memory.h"
#include "pipeline/partition.h"
#include "unit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATES = PARTITION_FAILED + 1 };

/* Whether a child process that makes the move ends by itself. */
static bool may_move(enum partition_state from, enum partition_state to) {
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct partition partition = { .state = from };

		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		signal(SIGABRT, SIG_DFL);
		partition_move(&partition, to);
		_exit(partition.state == to ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void only_the_arrows_that_are_drawn(void **state _unused_) {
	static const bool drawn[STATES][STATES] = {
		[PARTITION_ABSENT] = { [PARTITION_RESTORING] = true },
		[PARTITION_RESTORING] = { [PARTITION_ACTIVE] = true,
					  [PARTITION_SUSPENDED] = true,
					  [PARTITION_FAILED] = true },
		[PARTITION_ACTIVE] = { [PARTITION_RESTORING] = true, [PARTITION_SUSPENDED] = true },
		[PARTITION_SUSPENDED] = { [PARTITION_RESTORING] = true, [PARTITION_ABSENT] = true },
		[PARTITION_FAILED] = { [PARTITION_SUSPENDED] = true },
	};

	for (int from = 0; from < STATES; from++)
		for (int to = 0; to < STATES; to++) {
			print_message("%s to %s\n",
				      partition_state_name((enum partition_state)from),
				      partition_state_name((enum partition_state)to));
			assert_int_equal(
			    may_move((enum partition_state)from, (enum partition_state)to),
			    drawn[from][to]);
		}
}

static void a_turn_that_is_reset_leaves_nothing(void **state _unused_) {
	struct partition partition = { .next = { 10, 20 } };

	partition.turn = (struct partition_turn){ .is_touched = true,
						  .next = { 11, 21 },
						  .records = 5,
						  .pending = 3,
						  .position = { .sequence = 9 },
						  .position_offset = 100 };
	partition_turn_reset(&partition);
	assert_false(partition.turn.is_touched);
	assert_int_equal(partition.turn.next[INPUT_ADMIN], 10);
	assert_int_equal(partition.turn.next[INPUT_ISSUANCE], 20);
	assert_int_equal(partition.turn.records, 0);
	assert_int_equal(partition.turn.pending, 0);
	assert_int_equal(partition.turn.position_offset, -1);
	assert_int_equal(partition.position.sequence, 0);
}

static void a_turn_that_is_committed_is_what_holds(void **state _unused_) {
	struct partition partition = { .next = { 10, 20 }, .poison = { -1, -1 } };

	partition_turn_reset(&partition);
	partition.turn.is_touched = true;
	partition.turn.next[INPUT_ADMIN] = 15;
	partition.turn.position = (struct position){ .sequence = 7, .member_id = "worker-1" };
	partition.turn.position_offset = 100;
	partition_turn_commit(&partition);
	assert_int_equal(partition.next[INPUT_ADMIN], 15);
	assert_int_equal(partition.next[INPUT_ISSUANCE], 20);
	assert_int_equal(partition.position.sequence, 7);
	assert_null(partition.position.member_id);
	assert_int_equal(partition.position_offset, 100);
	assert_false(partition.turn.is_touched);
	assert_int_equal(partition.turn.next[INPUT_ADMIN], 15);
}

/* A poison is of one command: once that is a dead letter it says nothing of the next. */
static void poison_is_forgotten_when_it_is_passed(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t poison, next, left;
	} rows[] = {
		{ "none", -1, 10, -1 },         { "not reached", 12, 10, 12 },
		{ "the next one", 10, 10, 10 }, { "passed", 10, 11, -1 },
		{ "long passed", 3, 1000, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct partition partition = { .poison = { -1, rows[i].poison },
					       .next = { 0, rows[i].next } };

		print_message("%s\n", rows[i].name);
		partition_forget_poison(&partition);
		assert_int_equal(partition.poison[INPUT_ISSUANCE], rows[i].left);
		assert_int_equal(partition.poison[INPUT_ADMIN], -1);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_arrows_that_are_drawn),
		cmocka_unit_test(a_turn_that_is_reset_leaves_nothing),
		cmocka_unit_test(a_turn_that_is_committed_is_what_holds),
		cmocka_unit_test(poison_is_forgotten_when_it_is_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
