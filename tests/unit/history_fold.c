/* What each event makes of a delivery. */
#include "history/event_row.h"
#include "history_fixture.h"

static const struct attempt_response busy = { "busy\\u000a", "192.0.2.1", "1.1", "TLSv1.3" };

/* A step of a delivery, as a row writes it. */
struct told {
	enum analytic_step step;
	int at_s;
	int32_t status;
	const char *reason;
	int next_s; /* 0: none */
	int32_t attempt;
	bool is_withdrawal;
	const struct attempt_response *response;
};

enum { TOLD_MAX = 6 };

static void tell(struct fixture *f, const struct told *told) {
	struct analytic_event event = event_of(1, told->step, told->at_s);
	struct delivery_report *report = &event.data.delivery;

	event.status = report->status = told->status;
	report->reason = told->reason;
	report->attempt = told->attempt;
	report->response = told->response;
	if (told->is_withdrawal)
		report->duration_ms = -1;
	if (told->next_s)
		report->next_attempt_at_ms = NOW_MS + told->next_s * INT64_C(1000);
	fold(f, &event);
}

#define HEAD                                                                                       \
	"{'id':'01010203-0000-0000-0000-000000000000',"                                            \
	"'webhookId':'01010203-0000-0000-0000-000000000000',"                                      \
	"'eventId':'01010203-0000-0000-0000-000000000000','eventType':'DegreeRevoked',"            \
	"'subject':'subject-1','commandId':'command-1',"
#define CREATED "'createdAt':'2026-01-31T12:00:00.000Z',"

static const struct {
	const char *name;
	struct told told[TOLD_MAX];
	const char *expected;
} rows[] = {
	{ "recorded",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 } },
	  HEAD "'status':'pending'," CREATED
	       "'nextAttemptAt':'2026-01-31T12:00:01.000Z','attemptCount':0,'attempts':[]}" },
	{ "delivered at once",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_PROCESS_SUCCESS, 1, 204, .attempt = 1 } },
	  HEAD "'status':'succeeded'," CREATED
	       "'endedAt':'2026-01-31T12:00:01.000Z','attemptCount':1,'lastStatus':204,"
	       "'attempts':[{'at':'2026-01-31T12:00:00.960Z','status':204,'durationMs':40}]}" },
	{ "waits for another attempt",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_RETRY, 1, 500, "status-500", 6, .attempt = 1, .response = &busy },
	    { ANALYTIC_RETRY, 6, 0, "timeout", 9, .attempt = 2 } },
	  HEAD "'status':'pending'," CREATED
	       "'nextAttemptAt':'2026-01-31T12:00:09.000Z','attemptCount':2,'lastReason':'timeout',"
	       "'attempts':[{'at':'2026-01-31T12:00:00.960Z','status':500,'reason':'status-500',"
	       "'durationMs':40,'response':{'body':'busy\\\\u000a','address':'192.0.2.1',"
	       "'httpVersion':'1.1','tlsVersion':'TLSv1.3'}},"
	       "{'at':'2026-01-31T12:00:05.960Z','reason':'timeout','durationMs':40}]}" },
	{ "dead",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_PROCESS_FAIL, 1, 503, "status-503", 0, .attempt = 1 } },
	  HEAD
	  "'status':'dead'," CREATED
	  "'endedAt':'2026-01-31T12:00:01.000Z','attemptCount':1,'lastStatus':503,"
	  "'lastReason':'status-503','attempts':[{'at':'2026-01-31T12:00:00.960Z','status':503,"
	  "'reason':'status-503','durationMs':40}]}" },
	{ "withdrawn",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_RETRY, 1, 500, "status-500", 6, .attempt = 1 },
	    { ANALYTIC_PROCESS_FAIL, 2, 500, "webhook-disabled", 0, .attempt = 1,
	      .is_withdrawal = true } },
	  HEAD "'status':'withdrawn'," CREATED
	       "'endedAt':'2026-01-31T12:00:02.000Z','attemptCount':1,'lastStatus':500,"
	       "'lastReason':'webhook-disabled','attempts':[{'at':'2026-01-31T12:00:00.960Z',"
	       "'status':500,'reason':'status-500','durationMs':40}]}" },
	{ "recovered",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_PROCESS_FAIL, 1, 503, "status-503", 0, .attempt = 1 },
	    { ANALYTIC_RETRY, 2, 0, "connect", 7, .attempt = 1 },
	    { ANALYTIC_PROCESS_SUCCESS, 7, 200, .attempt = 2 } },
	  HEAD
	  "'status':'succeeded'," CREATED
	  "'endedAt':'2026-01-31T12:00:07.000Z','attemptCount':3,'lastStatus':200,"
	  "'attempts':[{'at':'2026-01-31T12:00:00.960Z','status':503,'reason':'status-503',"
	  "'durationMs':40},{'at':'2026-01-31T12:00:01.960Z','reason':'connect','durationMs':40},"
	  "{'at':'2026-01-31T12:00:06.960Z','status':200,'durationMs':40}]}" },
	{ "resent when dead",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_PROCESS_FAIL, 1, 503, "status-503", 0, .attempt = 1 },
	    { ANALYTIC_RESEND, 2, .next_s = 2 } },
	  HEAD "'status':'pending'," CREATED
	       "'nextAttemptAt':'2026-01-31T12:00:02.000Z','attemptCount':1,"
	       "'attempts':[{'at':'2026-01-31T12:00:00.960Z','status':503,'reason':'status-503',"
	       "'durationMs':40}]}" },
	{ "the clock was set back",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_RETRY, 9, 500, "status-500", 10, .attempt = 1 },
	    { ANALYTIC_PROCESS_SUCCESS, 2, 204, .attempt = 2 } },
	  HEAD
	  "'status':'succeeded'," CREATED
	  "'endedAt':'2026-01-31T12:00:02.000Z','attemptCount':2,'lastStatus':204,"
	  "'attempts':[{'at':'2026-01-31T12:00:08.960Z','status':500,'reason':'status-500',"
	  "'durationMs':40},{'at':'2026-01-31T12:00:01.960Z','status':204,'durationMs':40}]}" },
	{ "the clock was set back before it was sent again",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_RETRY, 8, 500, "status-500", 9, .attempt = 1 },
	    { ANALYTIC_PROCESS_FAIL, 9, 503, "status-503", 0, .attempt = 2 },
	    { ANALYTIC_RESEND, 2, .next_s = 2 },
	    { ANALYTIC_PROCESS_SUCCESS, 3, 204, .attempt = 1 } },
	  HEAD "'status':'succeeded'," CREATED
	       "'endedAt':'2026-01-31T12:00:03.000Z','attemptCount':3,'lastStatus':204,"
	       "'attempts':[{'at':'2026-01-31T12:00:07.960Z','status':500,'reason':'status-500',"
	       "'durationMs':40},"
	       "{'at':'2026-01-31T12:00:08.960Z','status':503,'reason':'status-503',"
	       "'durationMs':40},"
	       "{'at':'2026-01-31T12:00:02.960Z','status':204,'durationMs':40}]}" },
	{ "recorded again when dead",
	  { { ANALYTIC_RECEIVE, 0, .next_s = 1 },
	    { ANALYTIC_PROCESS_FAIL, 1, 503, "status-503", 0, .attempt = 1 },
	    { ANALYTIC_RECEIVE, 2, .next_s = 2 } },
	  HEAD "'status':'pending'," CREATED
	       "'nextAttemptAt':'2026-01-31T12:00:02.000Z','attemptCount':1,"
	       "'attempts':[{'at':'2026-01-31T12:00:00.960Z','status':503,'reason':'status-503',"
	       "'durationMs':40}]}" },
	{ "its recording is not here",
	  { { ANALYTIC_PROCESS_SUCCESS, 1, 200, .attempt = 4 } },
	  HEAD "'status':'succeeded','endedAt':'2026-01-31T12:00:01.000Z','attemptCount':4,"
	       "'lastStatus':200,"
	       "'attempts':[{'at':'2026-01-31T12:00:00.960Z','status':200,'durationMs':40}],"
	       "'attemptsLeftOut':3}" },
};

static void a_delivery_is_as_its_events_tell(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *fresh;

		print_message("%s\n", rows[i].name);
		set_up(&fresh);
		for (size_t j = 0; j < TOLD_MAX && (rows[i].told[j].step || !j); j++)
			tell(fresh, &rows[i].told[j]);
		assert_string_equal(delivery_json(fresh, "acme", 1), rows[i].expected);
		assert_string_equal(delivery_json(fresh, "other", 1), "not found");
		tear_down(&fresh);
	}
}

/* An answer over HTTP shows an event as it was told. */
static void an_event_is_told_as_it_was(void **state) {
	struct fixture *f = *state;
	struct analytic_event told = event_of(1, ANALYTIC_RETRY, 1);
	const struct history_query query = all_of("acme");

	told.request_id = "request";
	told.client_id = "client";
	told.status = told.data.delivery.status = 500;
	told.data.delivery.response = &busy;
	fold(f, &told);
	buffer_clear(&f->out);
	assert_int_equal(history_query_events(f->history, &query, &f->out), 0);
	assert_non_null(strstr(
	    f->out.data,
	    "\"tenantId\":\"acme\",\"commandId\":\"command-1\",\"requestId\":\"request\","
	    "\"clientId\":"
	    "\"client\",\"repeat\":false,\"status\":500,\"data\":{"
	    "\"deliveryId\":\"01010203-0000-0000-0000-000000000000\",\"webhookId\":"
	    "\"01010203-0000-0000-0000-000000000000\",\"eventType\":\"DegreeRevoked\",\"attempt\":"
	    "1,"
	    "\"status\":500,\"reason\":null,\"durationMs\":40,\"nextAttemptAt\":null,\"eventId\":"
	    "\"01010203-0000-0000-0000-000000000000\",\"subject\":\"subject-1\",\"attemptedAt\":"
	    "\"2026-01-31T12:00:00.960Z\",\"response\":{\"body\":\"busy"));
}

/* A worker of before edition 2 recorded it; a newer one goes on. */
static void what_is_told_later_is_filled_in(void **state) {
	struct fixture *f = *state;
	struct analytic_event recorded = event_of(1, ANALYTIC_RECEIVE, 0),
			      ended = event_of(1, ANALYTIC_PROCESS_SUCCESS, 1);
	struct history_query query = all_of("acme");

	recorded.data.delivery = delivery_report_of_first_edition(&recorded.data.delivery);
	recorded.command_id = NULL;
	fold(f, &recorded);
	query.subject = "subject-1";
	assert_string_equal(found(f, &query), "");
	fold(f, &ended);
	assert_string_equal(found(f, &query), "1");
	assert_string_equal(found_events(f, &query),
			    "WEBHOOK_EVENT_PROCESS_SUCCESS WEBHOOK_EVENT_RECEIVE");
	query.command_id = "command-1";
	query.has_event_id = true;
	query.event_id = uuid_of(1);
	assert_string_equal(found(f, &query), "1");
	print_message("what is known stays\n");
	ended.command_id = "command-2";
	fold(f, &ended);
	assert_string_equal(found(f, &query), "1");
}

/* An attempt is more than the text that was answered. */
static void an_attempt_without_what_is_too_long(void **state) {
	static char body[EVENT_VALUE_MAX + 1];
	static const struct attempt_response long_answer = { body, "192.0.2.1", "1.1", NULL };
	struct fixture *f = *state;
	struct told told = { ANALYTIC_RETRY,          1, 500, "status-500", 6, .attempt = 1,
			     .response = &long_answer };

	memset(body, 'x', EVENT_VALUE_MAX);
	tell(f, &told);
	assert_non_null(strstr(delivery_json(f, "acme", 1),
			       "'attempts':[{'at':'2026-01-31T12:00:00.960Z','status':500,"
			       "'reason':'status-500','durationMs':40,'response':{"
			       "'address':'192.0.2.1','httpVersion':'1.1'}}]}"));
}

/* As many as an answer has room for, whatever was answered to them. */
static void the_newest_of_many_attempts(void **state) {
	static char body[EVENT_VALUE_MAX - 256];
	static const struct attempt_response long_answer = { body, "192.0.2.1", "1.1", NULL };
	struct fixture *f = *state;
	const char *answer;

	memset(body, '"', sizeof(body) - 1);
	for (int i = 1; i <= QUERY_ATTEMPTS_MAX + 20; i++) {
		struct told told = {
			ANALYTIC_RETRY,          i, 500, "status-500", i + 1, .attempt = i,
			.response = &long_answer
		};

		tell(f, &told);
	}
	answer = delivery_json(f, "acme", 1);
	assert_non_null(strstr(answer, "'attemptCount':120,"));
	assert_non_null(strstr(answer, "'attempts':[{'at':'2026-01-31T12:00:20.960Z',"));
	assert_non_null(strstr(answer, "{'at':'2026-01-31T12:01:59.960Z',"));
	assert_non_null(strstr(answer, "}}],'attemptsLeftOut':20}"));
	assert_false(f->out.overflowed);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delivery_is_as_its_events_tell),
		cmocka_unit_test_setup_teardown(an_event_is_told_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_told_later_is_filled_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_attempt_without_what_is_too_long, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_newest_of_many_attempts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
