/* The schema ids that are to be asked for. */
#include "registry/wanted.h"
#include "unit.h"

static struct wanted *empty(void) {
	static struct wanted wanted;

	wanted = (struct wanted){ 0 };
	return &wanted;
}

static void ids_are_asked_for_in_their_order(void **state) {
	struct wanted *w = empty();
	uint32_t id;

	(void)state;
	assert_int_equal(wanted_next(w, 0, &id), -1);
	wanted_add(w, 7);
	wanted_add(w, 8);
	wanted_add(w, 7);
	assert_int_equal(w->count, 2);
	assert_int_equal(wanted_next(w, 0, &id), 0);
	assert_int_equal(id, 7);
	wanted_known(w, 7);
	assert_int_equal(wanted_next(w, 0, &id), 0);
	assert_int_equal(id, 8);
	wanted_known(w, 8);
	assert_int_equal(wanted_next(w, 0, &id), -1);
}

static void one_that_fails_keeps_no_other_waiting(void **state) {
	struct wanted *w = empty();
	uint32_t id;

	(void)state;
	wanted_add(w, 7);
	wanted_add(w, 8);
	wanted_failed(w, 7, 1000);
	assert_int_equal(wanted_next(w, 1000, &id), 0);
	assert_int_equal(id, 8);
	wanted_known(w, 8);
	assert_int_equal(wanted_next(w, 1000, &id), WANTED_PAUSE_MIN_MS);
	assert_int_equal(id, 7);
}

static void its_pauses_grow_up_to_a_bound(void **state) {
	struct wanted *w = empty();
	int64_t pauses[10];
	uint32_t id;

	(void)state;
	wanted_add(w, 7);
	for (int i = 0; i < 10; i++) {
		wanted_failed(w, 7, 0);
		pauses[i] = wanted_next(w, 0, &id);
	}
	assert_int_equal(pauses[0], WANTED_PAUSE_MIN_MS);
	assert_int_equal(pauses[1], 2 * WANTED_PAUSE_MIN_MS);
	assert_int_equal(pauses[9], WANTED_PAUSE_MAX_MS);
}

/* However late the pipeline comes: else it would ask for ever. */
static void that_one_is_unknown_is_told_once_for_sure(void **state) {
	struct wanted *w = empty();

	(void)state;
	wanted_add(w, 7);
	wanted_unknown(w, 7, 0);
	assert_int_equal(w->count, 0);
	assert_true(wanted_tell_unknown(w, 7, 30 * 1000));
	assert_true(wanted_tell_unknown(w, 7, 30 * 1000 + UNKNOWN_MS - 1));
	assert_false(wanted_tell_unknown(w, 7, 30 * 1000 + UNKNOWN_MS));
	assert_false(wanted_tell_unknown(w, 8, 30 * 1000));
}

static void what_nobody_was_told_is_forgotten(void **state) {
	struct wanted *w = empty();

	(void)state;
	wanted_unknown(w, 7, 0);
	assert_false(wanted_tell_unknown(w, 7, UNKNOWN_UNTOLD_MS));
}

static void more_than_the_bound_are_not_kept(void **state) {
	struct wanted *w = empty();

	(void)state;
	for (uint32_t id = 0; id < WANTED_MAX + 10; id++)
		wanted_add(w, id);
	assert_int_equal(w->count, WANTED_MAX);
	for (uint32_t id = 1; id <= 2 * UNKNOWN_MAX; id++)
		wanted_unknown(w, id, 0);
	assert_false(wanted_tell_unknown(w, UNKNOWN_MAX, 1));
	assert_true(wanted_tell_unknown(w, UNKNOWN_MAX + 1, 1));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_asked_for_in_their_order),
		cmocka_unit_test(one_that_fails_keeps_no_other_waiting),
		cmocka_unit_test(its_pauses_grow_up_to_a_bound),
		cmocka_unit_test(that_one_is_unknown_is_told_once_for_sure),
		cmocka_unit_test(what_nobody_was_told_is_forgotten),
		cmocka_unit_test(more_than_the_bound_are_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
