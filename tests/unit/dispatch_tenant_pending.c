/* How many deliveries of a tenant are pending: from its backlog, and from the events of turns that
 * are committed or undone. */
#include "dispatch/tenant_pending.h"
#include "unit.h"

static void note(struct tenant_pending *pending, const char *tenant_id, enum analytic_step step) {
	tenant_pending_note(pending, 0,
			    &(struct analytic_event){ .subject = ANALYTIC_WEBHOOK_EVENT,
						      .step = step,
						      .tenant_id = tenant_id });
}

static void recovered(struct tenant_pending *pending, const char *tenant_id, int32_t count,
		      bool repeat) {
	tenant_pending_note(pending, 0,
			    &(struct analytic_event){
				.subject = ANALYTIC_WEBHOOK_RECOVER,
				.step = ANALYTIC_SUCCESS,
				.tenant_id = tenant_id,
				.repeat = repeat,
				.data = { .kind = EVENT_DATA_RECOVERED, .recovered = count } });
}

static void test_turns(void **state _unused_) {
	_cleanup_(tenant_pending_freep) struct tenant_pending *pending = tenant_pending_new();

	assert_int_equal(tenant_pending_get(pending, "a"), 0);
	note(pending, "a", ANALYTIC_RECEIVE);
	note(pending, "a", ANALYTIC_RECEIVE);
	note(pending, "b", ANALYTIC_RECEIVE);
	assert_int_equal(tenant_pending_get(pending, "a"), 2); /* within the turn, too */
	tenant_pending_undo(pending);
	assert_int_equal(tenant_pending_get(pending, "a"), 0);

	note(pending, "a", ANALYTIC_RECEIVE);
	note(pending, "a", ANALYTIC_RECEIVE);
	tenant_pending_commit(pending);
	note(pending, "a", ANALYTIC_RETRY);
	note(pending, "a", ANALYTIC_PROCESS_SUCCESS);
	note(pending, "a", ANALYTIC_PROCESS_FAIL);
	assert_int_equal(tenant_pending_get(pending, "a"), 0);
	tenant_pending_undo(pending);
	assert_int_equal(tenant_pending_get(pending, "a"), 2);
	recovered(pending, "a", 5, false);
	recovered(pending, "a", 5, true);
	tenant_pending_commit(pending);
	assert_int_equal(tenant_pending_get(pending, "a"), 7);
	assert_int_equal(tenant_pending_get(pending, "b"), 0);
}

static void test_partitions(void **state _unused_) {
	_cleanup_(tenant_pending_freep) struct tenant_pending *pending = tenant_pending_new();

	tenant_pending_add(pending, 0, "a", 3);
	tenant_pending_add(pending, 0, "a", 4);
	tenant_pending_add(pending, 1, "b", 5);
	assert_int_equal(tenant_pending_get(pending, "a"), 7);
	note(pending, "a", ANALYTIC_PROCESS_SUCCESS);
	tenant_pending_forget(pending, 0);
	assert_int_equal(tenant_pending_get(pending, "a"), 0);
	assert_int_equal(tenant_pending_get(pending, "b"), 5);
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_turns),
					    cmocka_unit_test(test_partitions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
