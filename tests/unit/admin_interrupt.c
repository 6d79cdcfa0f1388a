/* Signals to a command that has work to finish first. */
#include "base/memory.h"
#include "terminal/interrupt.h"
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void the_first_is_noted_and_the_second_ends_it(void **state _unused_) {
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		interrupt_catch();
		if (interrupt_came())
			_exit(1);
		raise(SIGTERM);
		if (!interrupt_came())
			_exit(2);
		raise(SIGINT);
		_exit(3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_noted_and_the_second_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
