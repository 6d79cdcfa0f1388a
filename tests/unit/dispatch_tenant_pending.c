/* The number of pending deliveries of each tenant: from its backlog, and from the events of
 * transactions that are committed or undone. */
#include "dispatch/tenant_pending.h"
#include "unit.h"

enum { PARTITION = 0, OTHER_PARTITION = 1 };

/* What happens, of tenant "a" unless it says otherwise. */
enum happening {
	END,
	RECORDED,
	RECORDED_OF_B, /* which is of the other partition */
	SUCCEEDED,
	FAILED,
	RETRIED,
	RESENT,
	RESENT_PENDING, /* it is due now, and was pending before */
	BACKLOG_3,
	BACKLOG_2_OF_B,
	COMMITTED,
	UNDONE,
	FORGOTTEN,
};

static const struct {
	const char *name;
	enum happening happenings[8];
	int64_t a, b;
} rows[] = {
	{ "nothing is pending at first", { END }, 0, 0 },
	{ "a delivery counts within its transaction", { RECORDED, RECORDED }, 2, 0 },
	{ "and after its commit", { RECORDED, RECORDED, COMMITTED }, 2, 0 },
	{ "but not when it was undone", { RECORDED, RECORDED, UNDONE }, 0, 0 },
	{ "an undone transaction leaves the committed ones",
	  { RECORDED, COMMITTED, RECORDED, UNDONE },
	  1,
	  0 },
	{ "tenants are counted apart", { RECORDED, RECORDED_OF_B, RECORDED_OF_B }, 1, 2 },
	{ "a success ends a delivery",
	  { RECORDED, RECORDED, COMMITTED, SUCCEEDED, COMMITTED },
	  1,
	  0 },
	{ "a failure for good ends it",
	  { RECORDED, RECORDED, COMMITTED, FAILED, COMMITTED },
	  1,
	  0 },
	{ "an undone end does not", { RECORDED, COMMITTED, SUCCEEDED, UNDONE }, 1, 0 },
	{ "a retry leaves it pending", { RECORDED, COMMITTED, RETRIED, COMMITTED }, 1, 0 },
	{ "one that begins and ends in one transaction is none",
	  { RECORDED, SUCCEEDED, COMMITTED },
	  0,
	  0 },
	{ "a dead delivery that is resent is pending again", { RESENT, COMMITTED }, 1, 0 },
	{ "a pending one that is resent was pending", { RESENT_PENDING, COMMITTED }, 0, 0 },
	{ "a backlog comes in parts", { BACKLOG_3, BACKLOG_3, BACKLOG_2_OF_B }, 6, 2 },
	{ "what is recorded later adds to a backlog", { BACKLOG_3, RECORDED, COMMITTED }, 4, 0 },
	{ "a partition is forgotten alone", { BACKLOG_3, BACKLOG_2_OF_B, FORGOTTEN }, 0, 2 },
	{ "with what its open transaction changed",
	  { BACKLOG_3, BACKLOG_2_OF_B, SUCCEEDED, FORGOTTEN, COMMITTED },
	  0,
	  2 },
	{ "a tenant without deliveries can come again",
	  { RECORDED, COMMITTED, SUCCEEDED, COMMITTED, RECORDED, COMMITTED },
	  1,
	  0 },
};

static void note(struct tenant_pending *pending, int32_t partition_id, const char *tenant_id,
		 enum analytic_step step) {
	tenant_pending_note(pending, partition_id,
			    &(struct analytic_event){ .subject = ANALYTIC_WEBHOOK_EVENT,
						      .step = step,
						      .tenant_id = tenant_id });
}

static void note_resent(struct tenant_pending *pending, int32_t attempts) {
	tenant_pending_note(
	    pending, PARTITION,
	    &(struct analytic_event){
		.subject = ANALYTIC_WEBHOOK_EVENT,
		.step = ANALYTIC_RESEND,
		.tenant_id = "a",
		.data = { .kind = EVENT_DATA_DELIVERY, .delivery = { .attempt = attempts } } });
}

static void happen(struct tenant_pending *pending, enum happening happening) {
	switch (happening) {
	case END:
		break;
	case RECORDED:
		note(pending, PARTITION, "a", ANALYTIC_RECEIVE);
		break;
	case RECORDED_OF_B:
		note(pending, OTHER_PARTITION, "b", ANALYTIC_RECEIVE);
		break;
	case SUCCEEDED:
		note(pending, PARTITION, "a", ANALYTIC_PROCESS_SUCCESS);
		break;
	case FAILED:
		note(pending, PARTITION, "a", ANALYTIC_PROCESS_FAIL);
		break;
	case RETRIED:
		note(pending, PARTITION, "a", ANALYTIC_RETRY);
		break;
	case RESENT:
	case RESENT_PENDING:
		note_resent(pending, happening == RESENT_PENDING);
		break;
	case BACKLOG_3:
		tenant_pending_add(pending, PARTITION, "a", 3);
		break;
	case BACKLOG_2_OF_B:
		tenant_pending_add(pending, OTHER_PARTITION, "b", 2);
		break;
	case COMMITTED:
		tenant_pending_commit(pending);
		break;
	case UNDONE:
		tenant_pending_undo(pending);
		break;
	case FORGOTTEN:
		tenant_pending_forget(pending, PARTITION);
		break;
	}
}

static void pending_deliveries_are_counted_by_tenant(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(tenant_pending_freep) struct tenant_pending *pending =
		    tenant_pending_new();

		print_message("%s\n", rows[i].name);
		for (const enum happening *h = rows[i].happenings; *h != END; h++)
			happen(pending, *h);
		assert_int_equal(tenant_pending_get(pending, "a"), rows[i].a);
		assert_int_equal(tenant_pending_get(pending, "b"), rows[i].b);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pending_deliveries_are_counted_by_tenant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
