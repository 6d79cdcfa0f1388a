/* Filters, pages and tenants. */
#include "history/schema.h"
#include "history/statement.h"
#include "history_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Deliveries 1 to 5 of acme: 1 succeeded, 2 pending after a 500, 3 dead of a 503, 4 withdrawn, 5
 * succeeded; 6 of other, with the same subject, command, event and webhook as 1. */
static void fill(struct fixture *f) {
	static const struct {
		uint8_t number;
		enum analytic_step step;
		int32_t status;
	} ends[] = { { 1, ANALYTIC_PROCESS_SUCCESS, 200 }, { 2, ANALYTIC_RETRY, 500 },
		     { 3, ANALYTIC_PROCESS_FAIL, 503 },    { 4, ANALYTIC_PROCESS_FAIL, 0 },
		     { 5, ANALYTIC_PROCESS_SUCCESS, 204 }, { 6, ANALYTIC_PROCESS_FAIL, 503 } };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct analytic_event begun = event_of(ends[i].number, ANALYTIC_RECEIVE, (int)i),
				      ended = event_of(ends[i].number, ends[i].step, (int)i + 10);
		struct analytic_event *both[] = { &begun, &ended };

		ended.status = ended.data.delivery.status = ends[i].status;
		if (ends[i].number == 4)
			ended.data.delivery.duration_ms = -1;
		for (int j = 0; j < 2; j++) {
			if (ends[i].number == 6) {
				struct analytic_event first = event_of(1, ANALYTIC_RECEIVE, 0);

				both[j]->tenant_id = "other";
				both[j]->command_id = first.command_id;
				both[j]->data.delivery.webhook_id = first.data.delivery.webhook_id;
				both[j]->data.delivery.event_id = first.data.delivery.event_id;
				both[j]->data.delivery.subject = first.data.delivery.subject;
			}
			fold(f, both[j]);
		}
	}
}

/* What a row leaves out is the fixture's. */
static struct history_query completed(const struct history_query *query) {
	struct history_query all = *query;

	all.tenant_id = query->tenant_id ? query->tenant_id : "acme";
	all.to_ms = query->to_ms ? query->to_ms : INT64_MAX;
	all.before = query->before ? query->before : INT64_MAX;
	all.limit = query->limit ? query->limit : 100;
	return all;
}

#define Q(...) { __VA_ARGS__ }
#define OTHER .tenant_id = "other"
#define ID(n) { .bytes = { n, 1, 2, 3 } }

static void filters(void **state) {
	static const struct {
		const char *name;
		struct history_query query;
		const char *expected;
	} rows[] = {
		{ "all", Q(.limit = 100), "5 4 3 2 1" },
		{ "subject", Q(.subject = "subject-1"), "1" },
		{ "command", Q(.command_id = "command-3"), "3" },
		{ "event", Q(.has_event_id = true, .event_id = ID(5)), "5" },
		{ "webhook", Q(.has_webhook_id = true, .webhook_id = ID(2)), "2" },
		{ "pending", Q(.has_status = true, .status = HISTORY_PENDING), "2" },
		{ "succeeded", Q(.has_status = true, .status = HISTORY_SUCCEEDED), "5 1" },
		{ "dead", Q(.has_status = true, .status = HISTORY_DEAD), "3" },
		{ "withdrawn", Q(.has_status = true, .status = HISTORY_WITHDRAWN), "4" },
		{ "answered 503", Q(.http_status = 503), "3" },
		{ "answered 204", Q(.http_status = 204), "5" },
		{ "from", Q(.from_ms = NOW_MS + 3000), "5 4" },
		{ "to", Q(.to_ms = NOW_MS + 1000), "1" },
		{ "two that agree", Q(.subject = "subject-1", .command_id = "command-1"), "1" },
		{ "two that do not", Q(.subject = "subject-1", .command_id = "command-2"), "" },
		{ "a webhook and its state",
		  Q(.has_status = true, .status = HISTORY_PENDING, .has_webhook_id = true,
		    .webhook_id = ID(2)),
		  "2" },
		{ "a webhook and its answer",
		  Q(.http_status = 503, .has_webhook_id = true, .webhook_id = ID(3)), "3" },
		{ "a webhook and another answer",
		  Q(.http_status = 500, .has_webhook_id = true, .webhook_id = ID(3)), "" },
		{ "a state and a webhook",
		  Q(.has_status = true, .status = HISTORY_DEAD, .has_webhook_id = true,
		    .webhook_id = ID(2)),
		  "" },
		{ "nothing", Q(.subject = "subject-9"), "" },
		{ "another tenant", Q(OTHER), "6" },
		{ "its subject", Q(OTHER, .subject = "subject-1"), "6" },
		{ "its command", Q(OTHER, .command_id = "command-1"), "6" },
		{ "its event", Q(OTHER, .has_event_id = true, .event_id = ID(1)), "6" },
		{ "its webhook", Q(OTHER, .has_webhook_id = true, .webhook_id = ID(1)), "6" },
		{ "its dead", Q(OTHER, .has_status = true, .status = HISTORY_DEAD), "6" },
		{ "its answer", Q(OTHER, .http_status = 503), "6" },
		{ "of nobody", Q(.tenant_id = "nobody"), "" },
		{ "a page", Q(.limit = 2), "5 4+" },
	};
	struct fixture *f = *state;

	fill(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct history_query query;

		print_message("%s\n", rows[i].name);
		query = completed(&rows[i].query);
		assert_string_equal(found(f, &query), rows[i].expected);
	}
}

static const struct {
	const char *name;
	struct history_query query;
	const char *expected;
} events_found[] = {
	{ "subject", Q(.subject = "cred-1"), "OPENID_CREDENTIAL_SUCCESS" },
	{ "command", Q(.command_id = "command-1"),
	  "OPENID_CREDENTIAL_SUCCESS WEBHOOK_EVENT_PROCESS_SUCCESS WEBHOOK_EVENT_RECEIVE" },
	{ "delivery's subject, and its command's", Q(.subject = "subject-2"),
	  "OPENID_CREDENTIAL_START WEBHOOK_EVENT_RETRY WEBHOOK_EVENT_RECEIVE" },
	{ "subject and command", Q(.subject = "subject-2", .command_id = "command-2"),
	  "OPENID_CREDENTIAL_START WEBHOOK_EVENT_RETRY WEBHOOK_EVENT_RECEIVE" },
	{ "subject and another command", Q(.subject = "subject-2", .command_id = "command-1"), "" },
	{ "event", Q(.has_event_id = true, .event_id = ID(3)),
	  "WEBHOOK_EVENT_PROCESS_FAIL WEBHOOK_EVENT_RECEIVE" },
	{ "webhook", Q(.has_webhook_id = true, .webhook_id = ID(4)),
	  "WEBHOOK_EVENT_PROCESS_FAIL WEBHOOK_EVENT_RECEIVE" },
	{ "type", Q(.type = "*RETRY"), "WEBHOOK_EVENT_RETRY" },
	{ "state", Q(.has_status = true, .status = HISTORY_PENDING),
	  "WEBHOOK_EVENT_RETRY WEBHOOK_EVENT_RECEIVE" },
	{ "answer", Q(.http_status = 503), "WEBHOOK_EVENT_PROCESS_FAIL" },
	{ "webhook and answer", Q(.http_status = 503, .has_webhook_id = true, .webhook_id = ID(3)),
	  "WEBHOOK_EVENT_PROCESS_FAIL" },
	{ "event and another webhook",
	  Q(.has_event_id = true, .event_id = ID(3), .has_webhook_id = true, .webhook_id = ID(2)),
	  "" },
	{ "event and its command",
	  Q(.has_event_id = true, .event_id = ID(3), .command_id = "command-3"),
	  "WEBHOOK_EVENT_PROCESS_FAIL WEBHOOK_EVENT_RECEIVE" },
	{ "event and another command",
	  Q(.has_event_id = true, .event_id = ID(3), .command_id = "command-1"), "" },
	{ "another tenant", Q(OTHER, .command_id = "command-1"),
	  "WEBHOOK_EVENT_PROCESS_FAIL WEBHOOK_EVENT_RECEIVE" },
	{ "its subject", Q(OTHER, .subject = "cred-1"), "" },
	{ "of nobody", Q(.tenant_id = "nobody"), "" },
};

static void events_by_the_same_filters(void **state) {
	struct fixture *f = *state;
	struct analytic_event issued = { .id = uuid_of(99),
					 .subject = ANALYTIC_OPENID_CREDENTIAL,
					 .step = ANALYTIC_SUCCESS,
					 .timestamp_ms = NOW_MS + 60000,
					 .tenant_id = "acme",
					 .command_id = "command-1",
					 .status = 200,
					 .data = { EVENT_DATA_CREDENTIAL_ISSUED,
						   .credential_issued = { "cred-1", 1 } } };

	struct analytic_event started = issued;

	started.step = ANALYTIC_START;
	started.timestamp_ms += 1000;
	started.command_id = "command-2";
	started.status = 0;
	started.data = (struct event_data){ .kind = EVENT_DATA_NONE };
	fill(f);
	fold(f, &issued);
	fold(f, &started);
	for (size_t i = 0; i < ARRAY_LEN(events_found); i++) {
		struct history_query query;

		print_message("%s\n", events_found[i].name);
		query = completed(&events_found[i].query);
		assert_string_equal(found_events(f, &query), events_found[i].expected);
	}
}

/* Pages of each size, followed by their cursors, are the whole list. */
static void pages_follow_each_other(void **state) {
	struct fixture *f = *state;

	fill(f);
	for (size_t limit = 1; limit <= 6; limit++) {
		struct history_query query = all_of("acme");
		char all[32] = "";

		query.limit = limit;
		for (bool is_more = true; is_more;) {
			const char *cursor;

			buffer_clear(&f->out);
			assert_int_equal(history_query_deliveries(f->history, &query, &f->out), 0);
			cursor = strstr(f->out.data, "\"nextCursor\":\"");
			is_more = cursor;
			if (is_more)
				query.before =
				    strtoll(cursor + strlen("\"nextCursor\":\""), NULL, 10);
			for (const char *at = f->out.data; (at = strstr(at, "{\"id\":\""));)
				strncat(all, (at += strlen("{\"id\":\"")) + 1, 1);
		}
		assert_string_equal(all, "54321");
	}
}

/* A page ends after QUERY_SCAN_MAX rows, with a cursor from which the search goes on. */
static void a_search_is_bounded(void **state) {
	struct fixture *f = *state;
	struct history_query query = all_of("acme");
	int pages = 0;

	query.http_status = 204;
	for (int i = 0; i < QUERY_SCAN_MAX + 10; i++) {
		struct analytic_event event = event_of(1, ANALYTIC_PROCESS_SUCCESS, i);

		event.data.delivery.delivery_id.bytes[4] = (uint8_t)(i >> 8);
		event.data.delivery.delivery_id.bytes[5] = (uint8_t)i;
		event.data.delivery.status = i ? 200 : 204;
		assert_int_equal(history_fold(f->history, &event, 0, i, NOW_MS), 0);
	}
	assert_int_equal(history_commit(f->history), 0);
	assert_string_equal(found(f, &query), "+");
	for (const char *cursor; query.before != 0; pages++) {
		buffer_clear(&f->out);
		assert_int_equal(history_query_deliveries(f->history, &query, &f->out), 0);
		cursor = strstr(f->out.data, "\"nextCursor\":\"");
		query.before = cursor ? strtoll(cursor + strlen("\"nextCursor\":\""), NULL, 10) : 0;
	}
	assert_int_equal(pages, 2);
	assert_non_null(strstr(f->out.data, "\"lastStatus\":204"));
}

/* The error is told as SQLite tells it. */
static void a_file_that_cannot_be_opened_is_told(void **state) {
	struct fixture *f = *state;
	_cleanup_(x_freep) char *path = x_asprintf("%s/history.db", f->folder);
	const struct history_query all = all_of("acme");
	FILE *log = tmpfile();
	char told[512] = "";
	int original_stderr = dup(STDERR_FILENO);

	assert_int_equal(unlink(path), 0);
	assert_non_null(log);
	dup2(fileno(log), STDERR_FILENO);
	buffer_clear(&f->out);
	assert_int_equal(history_query_deliveries(f->history, &all, &f->out), -EIO);
	dup2(original_stderr, STDERR_FILENO);
	close(original_stderr);
	assert_int_equal(fseek(log, 0, SEEK_SET), 0);
	assert_non_null(fgets(told, sizeof(told), log));
	fclose(log);
	assert_non_null(strstr(told, "unable to open database file"));
}

/* What began an issuance does not tell the credential, and comes before the event that does. */
static void the_beginning_is_of_the_subject(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t begun_ms, issued_ms;
		const char *command;
		const char *expected;
	} rows[] = {
		{ "at once", 0, 0, "command", "OPENID_CREDENTIAL_SUCCESS OPENID_CREDENTIAL_START" },
		{ "over the edge of a bucket", -1, 1, "command",
		  "OPENID_CREDENTIAL_SUCCESS OPENID_CREDENTIAL_START" },
		{ "another command", 0, 0, "another", "OPENID_CREDENTIAL_SUCCESS" },
	};
	const int64_t edge_ms = ((NOW_MS >> 26) + 1) << 26; /* of places: 2^46 */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct analytic_event begun = { .id = uuid_of(98),
						.subject = ANALYTIC_OPENID_CREDENTIAL,
						.step = ANALYTIC_START,
						.timestamp_ms = edge_ms + rows[i].begun_ms,
						.tenant_id = "acme",
						.command_id = rows[i].command };
		struct analytic_event issued = begun;
		struct history_query query = all_of("acme");
		void *fresh;

		print_message("%s\n", rows[i].name);
		issued.step = ANALYTIC_SUCCESS;
		issued.timestamp_ms = edge_ms + rows[i].issued_ms;
		issued.command_id = "command";
		issued.data = (struct event_data){ EVENT_DATA_CREDENTIAL_ISSUED,
						   .credential_issued = { "cred-1", 0 } };
		set_up(&fresh);
		fold(fresh, &begun);
		fold(fresh, &issued);
		query.subject = "cred-1";
		assert_string_equal(found_events(fresh, &query), rows[i].expected);
		query.tenant_id = "other";
		assert_string_equal(found_events(fresh, &query), "");
		tear_down(&fresh);
	}
}

static bool begins_with(const char *text, const char *beginning) {
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Every step of every look-up leads through an index to its rows, in their order: no table is read
 * from one end to the other, and nothing is sorted. */
static void each_look_up_follows_an_index(void **state _unused_) {
	sqlite3_stmt *statements[READ_COUNT] = { NULL };
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, history_schema, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(history_prepare_read(db, statements), SQLITE_OK);
	for (int i = READ_DELIVERY; i < READ_COUNT; i++) {
		_cleanup_(x_freep) char *explain =
		    x_asprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(statements[i]));
		sqlite3_stmt *plan;
		int steps = 0;

		assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &plan, NULL), SQLITE_OK);
		for (; sqlite3_step(plan) == SQLITE_ROW; steps++)
			if (!begins_with(column_text(plan, 3), "SEARCH ") &&
			    !begins_with(column_text(plan, 3), "SCALAR SUBQUERY "))
				fail_msg("%s: %s", sqlite3_sql(statements[i]),
					 column_text(plan, 3));
		assert_in_range(steps, 1, 10);
		sqlite3_finalize(plan);
	}
	history_statements_finalize(statements, READ_COUNT);
	sqlite3_close(db);
}

/* Rows of several buckets are one list, also page by page, and up to its ends. */
static void buckets_are_one_list(void **state) {
	enum { DAY_S = 86400 };
	struct fixture *f = *state;
	struct history_query query = all_of("acme");

	for (uint8_t number = 1; number <= 5; number++) {
		struct analytic_event event = event_of(number, ANALYTIC_RECEIVE, 0);

		event.timestamp_ms += (number - 3) * INT64_C(1000) * DAY_S;
		event.command_id = "command";
		event.data.delivery.subject = "subject";
		assert_int_equal(
		    history_fold(f->history, &event, 0, number, NOW_MS - 2 * INT64_C(1000) * DAY_S),
		    0);
	}
	assert_int_equal(history_commit(f->history), 0);
	query.subject = "subject";
	assert_string_equal(found(f, &query), "5 4 3 2 1");
	query.command_id = "command";
	query.subject = NULL;
	assert_string_equal(found(f, &query), "5 4 3 2 1");
	query.limit = 2;
	assert_string_equal(found(f, &query), "5 4+");
	query.limit = 100;
	query.to_ms = NOW_MS + 1;
	assert_string_equal(found(f, &query), "3 2 1");
	query.from_ms = NOW_MS - INT64_C(1000) * DAY_S;
	assert_string_equal(found(f, &query), "3 2");
	query = all_of("acme");
	query.has_event_id = true;
	query.event_id = uuid_of(2);
	assert_string_equal(found(f, &query), "2");
	assert_string_equal(found_events(f, &query), "WEBHOOK_EVENT_RECEIVE");
}

/* Also one that no webhook took. */
static void an_event_of_ones_own_is_found_by_its_id(void **state) {
	struct fixture *f = *state;
	struct history_query query = all_of("acme");
	struct analytic_event published = {
		.id = uuid_of(99),
		.subject = ANALYTIC_WEBHOOK_EVENT_PUBLISH,
		.step = ANALYTIC_SUCCESS,
		.timestamp_ms = NOW_MS,
		.tenant_id = "acme",
		.command_id = "command-1",
		.request_id = "request",
		.status = 202,
		.data = { EVENT_DATA_PUBLISHED, .published = { uuid_of(7), "DegreeRevoked", 0 } }
	};

	fold(f, &published);
	query.has_event_id = true;
	query.event_id = uuid_of(7);
	assert_string_equal(found_events(f, &query), "WEBHOOK_EVENT_PUBLISH_SUCCESS");
	buffer_clear(&f->out);
	assert_int_equal(history_query_events(f->history, &query, &f->out), 0);
	assert_non_null(strstr(f->out.data, "\"requestId\":\"request\""));
	query.tenant_id = "other";
	assert_string_equal(found_events(f, &query), "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(filters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_by_the_same_filters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pages_follow_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_search_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened_is_told, set_up,
						tear_down),
		cmocka_unit_test(the_beginning_is_of_the_subject),
		cmocka_unit_test(each_look_up_follows_an_index),
		cmocka_unit_test_setup_teardown(buckets_are_one_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_of_ones_own_is_found_by_its_id, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
