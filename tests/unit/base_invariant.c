#include "base/invariant.h"
#include "base/log.h"
#include "unit.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static char words[8192];

/* Writes to `words` what `fn` logs in a process of its own. Returns whether that ends by abort().
 */
static bool aborts(void (*fn)(void)) {
	size_t len = 0;
	int ends[2], status;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], words + len, sizeof(words) - 1 - len)) > 0)
		len += (size_t)n;
	words[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static int evaluated;

static int count_evaluation(void) {
	return ++evaluated;
}

static void hold(void) {
	invariant(true, "it holds");
	invariant_with(true, "it holds", "evaluated=%d", count_evaluation());
	invariant(evaluated == 0, "the values of a condition that holds are not evaluated");
}

static void break_one(void) {
	invariant(1 + 1 == 3, "words of 100 %");
}

static void break_one_with_values(void) {
	invariant_with(false, "a lane gives back what it holds", "held=%d of=%s", 3,
		       log_quote("a lane"));
}

static void do_the_impossible(void) {
	impossible("a state is one of four");
}

static void check_nothing(void) {
	(void)x_checked(NULL);
}

static void what_is_broken_is_said(void **state _unused_) {
	static const struct {
		const char *name;
		void (*fn)(void);
		const char *says, *ends_with;
	} rows[] = {
		{ "an invariant", break_one, "invariant=\"words of 100 %\" file=", "\n" },
		{ "with values", break_one_with_values,
		  "invariant=\"a lane gives back what it holds\" file=",
		  " held=3 of=\"a lane\"\n" },
		{ "the impossible", do_the_impossible,
		  "invariant=\"a state is one of four\" file=", "\n" },
		{ "no memory", check_nothing, "out of memory", "\n" },
		{ "no memory, of a call", out_of_memory, "out of memory", "\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t end_len = strlen(rows[i].ends_with);

		print_message("%s\n", rows[i].name);
		assert_true(aborts(rows[i].fn));
		assert_non_null(strstr(words, rows[i].says));
		assert_true(strlen(words) > end_len);
		assert_string_equal(words + strlen(words) - end_len, rows[i].ends_with);
		assert_null(strstr(words, " \n"));
	}
}

static void what_holds_is_silent(void **state _unused_) {
	char byte;

	assert_false(aborts(hold));
	assert_string_equal(words, "");
	assert_ptr_equal(x_checked(&byte), &byte);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_broken_is_said),
		cmocka_unit_test(what_holds_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
