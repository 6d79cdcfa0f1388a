/* The signals that a program heeds. */
#include "base/memory.h"
#include "base/signals.h"
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

enum { MOMENT_MS = 10, LONG_MS = 60 * 1000 };

static void a_signal_that_came_is_waited_for(void **state _unused_) {
	raise(SIGTERM);
	assert_int_equal(signals_wait(LONG_MS), SIGNAL_END);
	raise(SIGINT);
	assert_int_equal(signals_wait(-1), SIGNAL_END);
}

static void without_a_signal_the_wait_ends(void **state _unused_) {
	assert_int_equal(signals_wait(0), SIGNAL_NONE);
	assert_int_equal(signals_wait(MOMENT_MS), SIGNAL_NONE);
}

static void a_signal_is_waited_for_once(void **state _unused_) {
	raise(SIGTERM);
	raise(SIGTERM);
	assert_int_equal(signals_wait(0), SIGNAL_END);
	assert_int_equal(signals_wait(0), SIGNAL_NONE);
}

static void a_hangup_asks_for_a_reload_once(void **state _unused_) {
	raise(SIGHUP);
	raise(SIGHUP);
	assert_int_equal(signals_wait(LONG_MS), SIGNAL_RELOAD);
	assert_int_equal(signals_wait(0), SIGNAL_NONE);
}

static void an_end_comes_before_a_reload(void **state _unused_) {
	raise(SIGHUP);
	raise(SIGTERM);
	assert_int_equal(signals_wait(LONG_MS), SIGNAL_END);
}

static void *wait_for_ever(void *came) {
	*(bool *)came = signals_wait(-1) == SIGNAL_END;
	return NULL;
}

static void a_thread_that_waits_can_be_sent_one(void **state _unused_) {
	bool came = false;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &came), 0);
	pthread_kill(thread, SIGTERM);
	pthread_join(thread, NULL);
	assert_true(came);
	assert_int_equal(signals_wait(0), SIGNAL_NONE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_that_came_is_waited_for),
		cmocka_unit_test(without_a_signal_the_wait_ends),
		cmocka_unit_test(a_signal_is_waited_for_once),
		cmocka_unit_test(a_hangup_asks_for_a_reload_once),
		cmocka_unit_test(an_end_comes_before_a_reload),
		cmocka_unit_test(a_thread_that_waits_can_be_sent_one),
	};

	signals_block();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
