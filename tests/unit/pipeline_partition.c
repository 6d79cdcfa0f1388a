/* The states of a partition. */
#include "base/memory.h"
#include "pipeline/partition.h"
#include "unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	enum partition_state from, to;
	bool allowed;
} moves[] = {
	{ PARTITION_ABSENT, PARTITION_RESTORING, true },
	{ PARTITION_ABSENT, PARTITION_ACTIVE, false },
	{ PARTITION_ABSENT, PARTITION_SUSPENDED, false },
	{ PARTITION_RESTORING, PARTITION_ACTIVE, true },
	{ PARTITION_RESTORING, PARTITION_SUSPENDED, true },
	{ PARTITION_RESTORING, PARTITION_FAILED, true },
	{ PARTITION_RESTORING, PARTITION_ABSENT, false },
	{ PARTITION_ACTIVE, PARTITION_SUSPENDED, true },
	{ PARTITION_ACTIVE, PARTITION_RESTORING, true },
	{ PARTITION_ACTIVE, PARTITION_ABSENT, false },
	{ PARTITION_SUSPENDED, PARTITION_RESTORING, true },
	{ PARTITION_SUSPENDED, PARTITION_ABSENT, true },
	{ PARTITION_SUSPENDED, PARTITION_ACTIVE, false },
	{ PARTITION_FAILED, PARTITION_ACTIVE, false },
	{ PARTITION_FAILED, PARTITION_SUSPENDED, true },
};

/* A move that is not drawn aborts: tried in a process of its own. */
static bool survives(enum partition_state from, enum partition_state to) {
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct partition partition = { .state = from };

		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		partition_move(&partition, to);
		_exit(partition.state == to ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void only_drawn_moves(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (survives(moves[i].from, moves[i].to) != moves[i].allowed)
			fail_msg("%s -> %s", partition_state_name(moves[i].from),
				 partition_state_name(moves[i].to));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_drawn_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
