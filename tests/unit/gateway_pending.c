#include "base/clock.h"
#include "gateway/pending.h"
#include "unit.h"

#include <stdio.h>

enum { TEXT_MAX = 256, STEPS_MAX = 8, WAITING_MAX = 2, TIMEOUT_MS = 60000 };

enum what { END, ADD, SETTLE, CANCEL };

struct step {
	enum what what;
	const char *tenant, *command, *request; /* of SETTLE the request may be NULL */
	int who;                                /* of SETTLE: the outcome's status */
	int r; /* of ADD the result, of CANCEL whether it was there */
};

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
	const char *told; /* who got what, in that order; what still waits then is expired */
} rows[] = {
	{ "nobody waits",
	  { { SETTLE, "t", "c", "r", 201, 0 }, { CANCEL, "t", "c", "r", 1, 0 } },
	  "" },
	{ "an outcome",
	  { { ADD, "t", "c", "r", 1, 0 }, { SETTLE, "t", "c", "r", 201, 0 } },
	  "1=201 " },
	{ "told once",
	  { { ADD, "t", "c", "r", 1, 0 },
	    { SETTLE, "t", "c", "r", 201, 0 },
	    { SETTLE, "t", "c", "r", 200, 0 } },
	  "1=201 " },
	{ "no outcome", { { ADD, "t", "c", "r", 1, 0 } }, "1=none " },
	{ "in the order of their coming",
	  { { ADD, "t", "c", "r2", 1, 0 }, { ADD, "t", "c", "r1", 2, 0 } },
	  "1=none 2=none " },
	{ "others with the same command",
	  { { ADD, "t", "c", "r1", 1, 0 },
	    { ADD, "t", "c", "r2", 2, 0 },
	    { SETTLE, "t", "c", "r2", 409, 0 },
	    { SETTLE, "t", "c", "r1", 201, 0 } },
	  "2=409 1=201 " },
	{ "another tenant's",
	  { { ADD, "t", "c", "r", 1, 0 }, { SETTLE, "u", "c", "r", 201, 0 } },
	  "1=none " },
	{ "an outcome that names no request",
	  { { ADD, "t", "c", "", 1, 0 }, { SETTLE, "t", "c", NULL, 201, 0 } },
	  "1=none " },
	{ "where one part ends, the next begins",
	  { { ADD, "t", "cr", "", 1, 0 },
	    { ADD, "tc", "r", "", 2, 0 },
	    { SETTLE, "t", "c", "r", 201, 0 },
	    { SETTLE, "", "tc", "r", 201, 0 } },
	  "1=none 2=none " },
	{ "a name is there once",
	  { { ADD, "t", "c", "r", 1, 0 },
	    { ADD, "t", "c", "r", 2, PENDING_E_EXISTS },
	    { SETTLE, "t", "c", "r", 201, 0 } },
	  "1=201 " },
	{ "and then again",
	  { { ADD, "t", "c", "r", 1, 0 },
	    { SETTLE, "t", "c", "r", 201, 0 },
	    { ADD, "t", "c", "r", 2, 0 },
	    { SETTLE, "t", "c", "r", 202, 0 } },
	  "1=201 2=202 " },
	{ "cancelled",
	  { { ADD, "t", "c", "r", 1, 0 },
	    { CANCEL, "t", "c", "r", 1, true },
	    { SETTLE, "t", "c", "r", 201, 0 } },
	  "" },
	{ "cancelled twice",
	  { { ADD, "t", "c", "r", 1, 0 },
	    { CANCEL, "t", "c", "r", 1, true },
	    { CANCEL, "t", "c", "r", 1, false } },
	  "" },
	{ "cancelled too late",
	  { { ADD, "t", "c", "r", 1, 0 },
	    { SETTLE, "t", "c", "r", 201, 0 },
	    { CANCEL, "t", "c", "r", 1, false } },
	  "1=201 " },
	{ "nobody cancels another's",
	  { { ADD, "t", "c", "r", 1, 0 },
	    { SETTLE, "t", "c", "r", 201, 0 },
	    { ADD, "t", "c", "r", 2, 0 },
	    { CANCEL, "t", "c", "r", 1, false },
	    { SETTLE, "t", "c", "r", 200, 0 } },
	  "1=201 2=200 " },
	{ "full",
	  { { ADD, "t", "c", "1", 1, 0 },
	    { ADD, "t", "c", "2", 2, 0 },
	    { ADD, "t", "c", "3", 3, PENDING_E_FULL } },
	  "1=none 2=none " },
	{ "full, and there already",
	  { { ADD, "t", "c", "1", 1, 0 },
	    { ADD, "t", "c", "2", 2, 0 },
	    { ADD, "t", "c", "1", 3, PENDING_E_EXISTS } },
	  "1=none 2=none " },
	{ "room again",
	  { { ADD, "t", "c", "1", 1, 0 },
	    { ADD, "t", "c", "2", 2, 0 },
	    { CANCEL, "t", "c", "1", 1, true },
	    { ADD, "t", "c", "3", 3, 0 },
	    { SETTLE, "t", "c", "3", 200, 0 } },
	  "3=200 2=none " },
};

struct waiter {
	int who;
	char *told;
};

static void on_done(void *userdata, const struct analytic_event *outcome) {
	const struct waiter *waiter = userdata;
	size_t at = strlen(waiter->told);

	if (outcome)
		snprintf(waiter->told + at, TEXT_MAX - at, "%d=%d ", waiter->who, outcome->status);
	else
		snprintf(waiter->told + at, TEXT_MAX - at, "%d=none ", waiter->who);
}

static int take_step(struct pending *pending, const struct step *step, struct waiter *waiters) {
	const struct command_envelope envelope = { .tenant_id = step->tenant,
						   .command_id = step->command,
						   .request_id = step->request };
	const struct analytic_event outcome = { .tenant_id = step->tenant,
						.command_id = step->command,
						.request_id = step->request,
						.status = step->who };

	if (step->what == ADD)
		return pending_add(pending, &envelope, on_done, &waiters[step->who]);
	if (step->what == CANCEL)
		return pending_cancel(pending, &envelope, &waiters[step->who]);
	pending_settle(pending, &outcome);
	return 0;
}

static void requests_settle_as_the_rows_say(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(pending_freep) struct pending *pending =
		    pending_new(WAITING_MAX, TIMEOUT_MS);
		char told[TEXT_MAX] = "";
		struct waiter waiters[] = { { 0, told }, { 1, told }, { 2, told }, { 3, told } };

		for (const struct step *step = rows[i].steps;
		     step < rows[i].steps + STEPS_MAX && step->what != END; step++) {
			int r = take_step(pending, step, waiters);

			if (r != step->r)
				fail_msg("%s: step %zu returned %d", rows[i].name,
					 (size_t)(step - rows[i].steps), r);
		}
		pending_expire(pending, INT64_MAX);
		assert_int_equal(pending_count(pending), 0);
		if (strcmp(told, rows[i].told) != 0)
			fail_msg("%s: %s", rows[i].name, told);
	}
}

/* Not a millisecond before its time. */
static void no_request_expires_early(void **state _unused_) {
	const struct command_envelope envelope = { .tenant_id = "t",
						   .command_id = "c",
						   .request_id = "r" };
	_cleanup_(pending_freep) struct pending *pending = pending_new(WAITING_MAX, TIMEOUT_MS);
	char told[TEXT_MAX] = "";
	struct waiter waiter = { 1, told };
	int64_t before_ms = clock_monotonic_ms(), after_ms;

	assert_int_equal(pending_add(pending, &envelope, on_done, &waiter), 0);
	after_ms = clock_monotonic_ms();
	pending_expire(pending, before_ms + TIMEOUT_MS - 1);
	assert_string_equal(told, "");
	assert_int_equal(pending_count(pending), 1);
	pending_expire(pending, after_ms + TIMEOUT_MS);
	assert_string_equal(told, "1=none ");
	assert_int_equal(pending_count(pending), 0);
}

/* How many of 100 places tenants get that all take as many as they can, one after the other; and
 * each newcomer gets one. */
static void a_tenant_leaves_room_for_others(void **state _unused_) {
	static const size_t shares[] = { 51, 25, 13 };
	_cleanup_(pending_freep) struct pending *pending = pending_new(100, TIMEOUT_MS);
	char told[100 * TEXT_MAX] = "", tenant[] = "a", request[8];
	struct waiter waiter = { 1, told };
	struct command_envelope envelope = { .tenant_id = tenant,
					     .command_id = "c",
					     .request_id = request };

	for (size_t i = 0; i < ARRAY_LEN(shares); i++, tenant[0]++) {
		size_t taken = 0;

		for (snprintf(request, sizeof(request), "%zu", taken);
		     !pending_add(pending, &envelope, on_done, &waiter);)
			snprintf(request, sizeof(request), "%zu", ++taken);
		assert_int_equal(taken, shares[i]);
	}
	assert_true(pending_cancel(
	    pending,
	    &(struct command_envelope){ .tenant_id = "a", .command_id = "c", .request_id = "0" },
	    &waiter));
	snprintf(request, sizeof(request), "again");
	tenant[0] = 'a';
	assert_int_equal(pending_add(pending, &envelope, on_done, &waiter), PENDING_E_FULL);
	tenant[0] = 'z';
	assert_int_equal(pending_add(pending, &envelope, on_done, &waiter), 0);
	pending_expire(pending, INT64_MAX);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_settle_as_the_rows_say),
		cmocka_unit_test(no_request_expires_early),
		cmocka_unit_test(a_tenant_leaves_room_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
