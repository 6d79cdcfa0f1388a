/* Folding the changelog, and the states of a partition. */
#include "pipeline/fold.h"
#include "pipeline/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
	char text[256];
	int stop_after;
};

static int append_entry(void *userdata, const struct fold_entry *entry) {
	struct seen *seen = userdata;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%s=%.*s;", entry->key, entry->value ? (int)entry->value_len : 1,
		 entry->value ? (const char *)entry->value : "-");
	return --seen->stop_after == 0 ? -5 : 0;
}

static void put(struct fold *fold, const char *key, const char *value) {
	fold_put(fold, key, strlen(key), value, value ? strlen(value) : 0);
}

static void last_value_of_each_key_in_order(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();
	struct seen seen = { 0 };

	put(fold, "b", "1");
	put(fold, "a/2", "2");
	put(fold, "b", "33");
	put(fold, "a", "4");
	put(fold, "gone", "5");
	put(fold, "gone", NULL);
	assert_int_equal(fold_count(fold), 4);
	assert_int_equal(fold_drain(fold, append_entry, &seen), 0);
	assert_string_equal(seen.text, "a=4;a/2=2;b=33;gone=-;");
	assert_int_equal(fold_count(fold), 0);
	assert_int_equal(fold_bytes(fold), 0);
}

static void a_refusal_ends_the_walk_and_empties(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();
	struct seen seen = { .stop_after = 1 };

	put(fold, "a", "1");
	put(fold, "b", "2");
	assert_int_equal(fold_drain(fold, append_entry, &seen), -5);
	assert_string_equal(seen.text, "a=1;");
	assert_int_equal(fold_count(fold), 0);
}

static void bytes_follow_the_values(void **state _unused_) {
	_cleanup_(fold_freep) struct fold *fold = fold_new();
	char large[1000];
	size_t before;

	memset(large, 'x', sizeof(large));
	put(fold, "a", "1");
	before = fold_bytes(fold);
	fold_put(fold, "a", 1, large, sizeof(large));
	assert_int_equal(fold_bytes(fold), before + sizeof(large) - 1);
	put(fold, "a", NULL);
	assert_int_equal(fold_bytes(fold), before - 1);
}

static const struct {
	enum partition_state from, to;
	bool allowed;
} moves[] = {
	{ PARTITION_ABSENT, PARTITION_RESTORING, true },	{ PARTITION_ABSENT, PARTITION_ACTIVE, false },
	{ PARTITION_ABSENT, PARTITION_SUSPENDED, false },	{ PARTITION_RESTORING, PARTITION_ACTIVE, true },
	{ PARTITION_RESTORING, PARTITION_SUSPENDED, true },	{ PARTITION_RESTORING, PARTITION_FAILED, true },
	{ PARTITION_RESTORING, PARTITION_ABSENT, false },	{ PARTITION_ACTIVE, PARTITION_SUSPENDED, true },
	{ PARTITION_ACTIVE, PARTITION_RESTORING, true },	{ PARTITION_ACTIVE, PARTITION_ABSENT, false },
	{ PARTITION_SUSPENDED, PARTITION_RESTORING, true },	{ PARTITION_SUSPENDED, PARTITION_ABSENT, true },
	{ PARTITION_SUSPENDED, PARTITION_ACTIVE, false },	{ PARTITION_FAILED, PARTITION_ACTIVE, false },
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
			fail_msg("%s -> %s", partition_state_name(moves[i].from), partition_state_name(moves[i].to));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_value_of_each_key_in_order),
		cmocka_unit_test(a_refusal_ends_the_walk_and_empties),
		cmocka_unit_test(bytes_follow_the_values),
		cmocka_unit_test(only_drawn_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
