/* Each cause is logged once; repetitions are counted. */
#include "rdkafka/refusal.h"
#include "unit.h"

#include <stdio.h>

static void the_same_cause_is_repeated(void **state) {
	unsigned repeats = 1;

	(void)state;
	assert_false(refusal_is_repeated("commit, then retry", "transactional id", "a", "TIMED_OUT",
					 &repeats));
	assert_int_equal(repeats, 0);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(refusal_is_repeated("commit, then retry", "transactional id", "a",
						"TIMED_OUT", &repeats));
		assert_int_equal(repeats, i);
	}
}

static void another_one_is_not(void **state) {
	unsigned repeats;

	(void)state;
	assert_false(refusal_is_repeated("commit, then abort", "transactional id", "a", "TIMED_OUT",
					 &repeats));
	assert_false(refusal_is_repeated("commit, then retry", "transactional id", "b", "TIMED_OUT",
					 &repeats));
	assert_false(
	    refusal_is_repeated("commit, then retry", "transactional id", "a", "FENCED", &repeats));
	assert_true(refusal_is_repeated("commit, then retry", "transactional id", "a", "TIMED_OUT",
					&repeats));
}

/* Enough to fill the memory of causes: new ones are logged, whichever is forgotten for them. */
static void many_causes(void **state) {
	unsigned repeats;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		assert_false(refusal_is_repeated("Read", "topic", name, "x", &repeats));
		assert_true(refusal_is_repeated("Read", "topic", name, "x", &repeats));
	}
}

static void what_a_login_is(void **state) {
	(void)state;
	assert_true(refusal_is_of_login(RD_KAFKA_RESP_ERR__AUTHENTICATION) &&
		    refusal_cause(RD_KAFKA_RESP_ERR__AUTHENTICATION));
	assert_true(refusal_is_of_login(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED) &&
		    refusal_cause(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED));
	assert_true(refusal_is_of_login(RD_KAFKA_RESP_ERR__SSL) &&
		    refusal_cause(RD_KAFKA_RESP_ERR__SSL));
	assert_false(refusal_is_of_login(RD_KAFKA_RESP_ERR__TRANSPORT) ||
		     refusal_is_of_login(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_cause_is_repeated),
		cmocka_unit_test(another_one_is_not),
		cmocka_unit_test(many_causes),
		cmocka_unit_test(what_a_login_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
