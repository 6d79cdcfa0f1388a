/* The story of an id, line by line. */
#include "command/trace_story.h"
#include "unit.h"

#define NOW_MS INT64_C(1769860800000)

static const struct attempt_response busy = { "out of order\\u000a", "192.0.2.1", "1.1",
					      "TLSv1.3" };

#define OF_COMMAND(subject_, step_, at_ms)                                                         \
	.subject = (subject_), .step = (step_), .timestamp_ms = NOW_MS + (at_ms),                  \
	.tenant_id = "acme", .command_id = "cmd-1"
#define REPORT                                                                                     \
	.delivery_id = { { 1 } }, .webhook_id = { { 2 } }, .has_event_id = true,                   \
	.event_id = { { 3 } }, .subject = "c-1", .event_type = "OpenIdCredentialIssued"
#define DELIVERY "delivery 01000000-0000-0000-0000-000000000000 "

static const struct {
	struct analytic_event event;
	const char *line; /* NULL: it is no part of the story */
	bool has_ended;   /* after it */
} rows[] = {
	{ { OF_COMMAND(ANALYTIC_OPENID_CREDENTIAL, ANALYTIC_START, 0) },
	  "2026-01-31T12:00:00.000Z     +0.000 s  command cmd-1 OPENID_CREDENTIAL_START",
	  false },
	{ { OF_COMMAND(ANALYTIC_OPENID_CREDENTIAL, ANALYTIC_SUCCESS, 0), .status = 200,
	    .data = { EVENT_DATA_CREDENTIAL_ISSUED, .credential_issued = { "c-1", 1 } } },
	  "2026-01-31T12:00:00.000Z     +0.000 s  command cmd-1 OPENID_CREDENTIAL_SUCCESS, status "
	  "200: credential c-1, deliveries 1",
	  false },
	{ { OF_COMMAND(ANALYTIC_WEBHOOK_EVENT, ANALYTIC_RECEIVE, 0),
	    .data = { EVENT_DATA_DELIVERY, .delivery = { REPORT, .duration_ms = -1 } } },
	  "2026-01-31T12:00:00.000Z     +0.000 s  " DELIVERY
	  "recorded: OpenIdCredentialIssued to webhook 02000000-0000-0000-0000-000000000000",
	  false },
	{ { .subject = ANALYTIC_WEBHOOK_EVENT,
	    .step = ANALYTIC_RECEIVE,
	    .tenant_id = "acme",
	    .command_id = "cmd-2",
	    .data = { EVENT_DATA_DELIVERY, .delivery = { .delivery_id = { { 9 } },
							 .duration_ms = -1,
							 .event_type = "x" } } },
	  NULL,
	  false },
	{ { OF_COMMAND(ANALYTIC_WEBHOOK_EVENT, ANALYTIC_RETRY, 1040),
	    .data = { EVENT_DATA_DELIVERY,
		      .delivery = { REPORT, .attempt = 1, .status = 500, .reason = "status-500",
				    .duration_ms = 40, .next_attempt_at_ms = NOW_MS + 6000,
				    .response = &busy } } },
	  "2026-01-31T12:00:01.040Z     +1.040 s  " DELIVERY
	  "failed: attempt 1, status-500 after 40 ms from 192.0.2.1 (TLSv1.3): out of "
	  "order\\u000a; next at 2026-01-31T12:00:06.000Z",
	  false },
	{ { OF_COMMAND(ANALYTIC_WEBHOOK_EVENT, ANALYTIC_PROCESS_SUCCESS, 6010),
	    .data = { EVENT_DATA_DELIVERY,
		      .delivery = { REPORT, .attempt = 2, .status = 204, .duration_ms = 7 } } },
	  "2026-01-31T12:00:06.010Z     +6.010 s  " DELIVERY
	  "succeeded: attempt 2, status 204 after 7 ms",
	  true },
	{ { OF_COMMAND(ANALYTIC_WEBHOOK_EVENT, ANALYTIC_PROCESS_FAIL, 7000),
	    .data = { EVENT_DATA_DELIVERY, .delivery = { REPORT, .attempt = 3, .reason = "timeout",
							 .duration_ms = 15000 } } },
	  "2026-01-31T12:00:07.000Z     +7.000 s  " DELIVERY
	  "is dead: attempt 3, timeout after 15000 ms",
	  true },
	{ { OF_COMMAND(ANALYTIC_WEBHOOK_EVENT, ANALYTIC_RESEND, 7500),
	    .data = { EVENT_DATA_DELIVERY, .delivery = { REPORT, .duration_ms = -1,
							 .next_attempt_at_ms = NOW_MS + 7500 } } },
	  "2026-01-31T12:00:07.500Z     +7.500 s  " DELIVERY
	  "is resent, due at 2026-01-31T12:00:07.500Z",
	  false },
	{ { OF_COMMAND(ANALYTIC_WEBHOOK_EVENT, ANALYTIC_PROCESS_FAIL, 8000),
	    .data = { EVENT_DATA_DELIVERY,
		      .delivery = { REPORT, .reason = "webhook-disabled", .duration_ms = -1 } } },
	  "2026-01-31T12:00:08.000Z     +8.000 s  " DELIVERY "withdrawn, webhook-disabled",
	  true },
};

/* By each id that it may be asked for. */
static void a_story_is_told_in_order(void **state _unused_) {
	static const char *const ids[] = { "c-1", "cmd-1", "01000000-0000-0000-0000-000000000000",
					   "03000000-0000-0000-0000-000000000000" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		_cleanup_(story_freep) struct story *story = story_new(ids[i]);

		print_message("%s\n", ids[i]);
		assert_true(story_is_empty(story));
		for (size_t j = 0; j < ARRAY_LEN(rows); j++)
			story_note(story, &rows[j].event);
		for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
			_cleanup_(buffer_destroy) struct buffer line = BUFFER_INIT(4096);

			assert_int_equal(story_has(story, &rows[j].event), rows[j].line != NULL);
			if (!rows[j].line)
				continue;
			story_follow(story, &rows[j].event);
			story_append_line(story, &rows[j].event, &line);
			assert_string_equal(line.data, rows[j].line);
			assert_int_equal(story_has_ended(story), rows[j].has_ended);
		}
	}
}

/* Its answer may be repeated after they have ended, and nothing else be read (--since). */
static void a_repeated_answer_promises_no_deliveries(void **state _unused_) {
	_cleanup_(story_freep) struct story *story = story_new("c-1");
	struct analytic_event repeated = rows[1].event;

	repeated.repeat = true;
	story_note(story, &repeated);
	story_follow(story, &repeated);
	assert_true(story_has_ended(story));
	repeated.repeat = false;
	story_follow(story, &repeated);
	assert_false(story_has_ended(story));
}

#define OLDER(id_, step_, ...)                                                                     \
	{                                                                                          \
		.subject = ANALYTIC_WEBHOOK_EVENT, .step = (step_), .tenant_id = "acme",           \
		.data = { EVENT_DATA_DELIVERY, .delivery = { .delivery_id = { { (id_) } },         \
							     .event_type = "x",                    \
							     __VA_ARGS__ } }                       \
	}
#define ISSUED(command_, credential_, deliveries_)                                                 \
	{                                                                                          \
		.subject = ANALYTIC_OPENID_CREDENTIAL, .step = ANALYTIC_SUCCESS,                   \
		.tenant_id = "acme", .command_id = (command_),                                     \
		.data = { EVENT_DATA_CREDENTIAL_ISSUED,                                            \
			  .credential_issued = { (credential_), (deliveries_) } }                  \
	}

/* Of a worker whose steps of deliveries name neither command nor subject: what stands behind the
 * answer is its command's. */
static const struct {
	struct analytic_event event;
	bool is_told, has_ended; /* after it */
} older[] = {
	{ ISSUED("cmd-0", "c-0", 1), false, false },
	{ OLDER(7, ANALYTIC_RECEIVE, .duration_ms = -1), false, false },
	{ ISSUED("cmd-1", "c-1", 2), true, false },
	{ OLDER(1, ANALYTIC_RECEIVE, .duration_ms = -1), true, false },
	{ OLDER(2, ANALYTIC_RECEIVE, .duration_ms = -1), true, false },
	{ OLDER(8, ANALYTIC_RECEIVE, .duration_ms = -1), false, false },
	{ OLDER(1, ANALYTIC_PROCESS_SUCCESS, .attempt = 1, .duration_ms = 1), true, false },
	{ OLDER(7, ANALYTIC_PROCESS_SUCCESS, .attempt = 1, .duration_ms = 1), false, false },
	{ OLDER(2, ANALYTIC_RETRY, .attempt = 1, .duration_ms = 1), true, false },
	/* A newer worker goes on with it. */
	{ { OF_COMMAND(ANALYTIC_WEBHOOK_EVENT, ANALYTIC_PROCESS_SUCCESS, 0),
	    .data = { EVENT_DATA_DELIVERY,
		      .delivery = { .delivery_id = { { 2 } }, .attempt = 2 } } },
	  true,
	  true },
};

static void what_an_older_worker_told_belongs_to_its_command(void **state _unused_) {
	static const char *const ids[] = { "c-1", "cmd-1", "01000000-0000-0000-0000-000000000000",
					   "02000000-0000-0000-0000-000000000000" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		_cleanup_(story_freep) struct story *story = story_new(ids[i]);

		print_message("%s\n", ids[i]);
		for (size_t j = 0; j < ARRAY_LEN(older); j++)
			story_note(story, &older[j].event);
		for (size_t j = 0; j < ARRAY_LEN(older); j++) {
			const struct analytic_event *event = &older[j].event;

			print_message("event %zu\n", j);
			story_note(story, event);
			assert_int_equal(story_has(story, event), older[j].is_told);
			if (older[j].is_told)
				story_follow(story, event);
			assert_int_equal(story_has_ended(story), older[j].has_ended);
		}
	}
}

static void nothing_is_told_of_what_is_not_there(void **state _unused_) {
	_cleanup_(story_freep) struct story *story = story_new("c-9");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		story_note(story, &rows[i].event);
	assert_true(story_is_empty(story));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_story_is_told_in_order),
		cmocka_unit_test(a_repeated_answer_promises_no_deliveries),
		cmocka_unit_test(what_an_older_worker_told_belongs_to_its_command),
		cmocka_unit_test(nothing_is_told_of_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
