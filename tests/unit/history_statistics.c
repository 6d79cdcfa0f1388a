/* A webhook's attempts of the last 24 hours. */
#include "history/duration_bucket.h"
#include "history/statistics.h"
#include "history_fixture.h"

#include <inttypes.h>
#include <jansson.h>

/* What an hour or all of them say: "succeeded failed p50 p99". */
static const char *text_of(const json_t *tally) {
	static char text[64];
	const json_t *duration = json_object_get(tally, "durationMs");

	snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT " %" JSON_INTEGER_FORMAT,
		 json_integer_value(json_object_get(tally, "succeeded")),
		 json_integer_value(json_object_get(tally, "failed")));
	if (duration)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " %" JSON_INTEGER_FORMAT " %" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(duration, "p50")),
			 json_integer_value(json_object_get(duration, "p99")));
	return text;
}

/* The statistics of webhook `number`, so many hours after NOW_MS. The caller's. */
static json_t *ask(struct fixture *f, const char *tenant, uint8_t number, int hours) {
	const struct uuid id = uuid_of(number);
	json_t *answer;

	buffer_clear(&f->out);
	assert_int_equal(history_query_statistics(f->history, tenant, &id,
						  NOW_MS + (int64_t)hours * STATISTICS_HOUR_MS,
						  &f->out),
			 0);
	answer = json_loads(f->out.data, 0, NULL);
	assert_non_null(answer);
	assert_int_equal(json_array_size(json_object_get(answer, "hours")), STATISTICS_HOURS);
	assert_non_null(json_object_get(answer, "completeSince"));
	return answer;
}

static void assert_all(struct fixture *f, const char *tenant, uint8_t number, int hours,
		       const char *expected) {
	json_t *answer = ask(f, tenant, number, hours);

	assert_string_equal(text_of(answer), expected);
	json_decref(answer);
}

/* Attempts of webhook 1, and of 2 one. */
static void fill(struct fixture *f) {
	static const struct {
		uint8_t number;
		enum analytic_step step;
		int at_s;
		int64_t duration_ms;
	} rows[] = {
		{ 1, ANALYTIC_RECEIVE, 0, -1 },           { 1, ANALYTIC_RETRY, 1, 5 },
		{ 1, ANALYTIC_PROCESS_SUCCESS, 2, 7 },    { 1, ANALYTIC_RESEND, 3, -1 },
		{ 1, ANALYTIC_PROCESS_FAIL, 3600, 1000 }, { 1, ANALYTIC_PROCESS_FAIL, 3601, -1 },
		{ 2, ANALYTIC_PROCESS_SUCCESS, 2, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct analytic_event event = event_of(rows[i].number, rows[i].step, rows[i].at_s);

		event.data.delivery.duration_ms = rows[i].duration_ms;
		fold(f, &event);
	}
}

static void attempts_are_counted(void **state) {
	struct fixture *f = *state;
	json_t *answer, *hours;

	fill(f);
	answer = ask(f, "acme", 1, 1);
	hours = json_object_get(answer, "hours");
	assert_string_equal(text_of(answer), "1 2 7 959");
	assert_string_equal(text_of(json_array_get(hours, 21)), "0 0");
	assert_string_equal(text_of(json_array_get(hours, 22)), "1 1 5 7");
	assert_string_equal(text_of(json_array_get(hours, 23)), "0 1 959 959");
	assert_string_equal(json_string_value(json_object_get(json_array_get(hours, 23), "from")),
			    "2026-01-31T13:00:00.000Z");
	assert_string_equal(json_string_value(json_object_get(json_array_get(hours, 0), "from")),
			    "2026-01-30T14:00:00.000Z");
	json_decref(answer);
	assert_all(f, "acme", 2, 1, "1 0 3 3");
}

static void of_the_tenant_alone(void **state) {
	struct fixture *f = *state;
	struct analytic_event other = event_of(9, ANALYTIC_RETRY, 0);

	other.tenant_id = "other";
	fold(f, &other);
	fill(f);
	assert_all(f, "other", 1, 1, "0 0");
	assert_all(f, "nobody", 1, 1, "0 0");
	assert_all(f, "acme", 9, 1, "0 0");
	assert_all(f, "other", 9, 1, "0 1 43 43");
}

static void hours_pass(void **state) {
	struct fixture *f = *state;

	fill(f);
	assert_all(f, "acme", 1, 23, "1 2 7 959");
	assert_all(f, "acme", 1, 24, "0 1 959 959");
	assert_int_equal(history_prune(f->history, NOW_MS + 24 * INT64_C(3600000)), 0);
	assert_all(f, "acme", 1, 1, "0 1 959 959");
	assert_all(f, "acme", 1, 25, "0 0");
}

/* What is folded of the past is not counted, and is no less a failure. */
static void the_past_is_not_counted(void **state) {
	struct fixture *f = *state;
	struct analytic_event event = event_of(1, ANALYTIC_RETRY, 0);
	json_t *answer;

	f->settings.retention_ms *= 2;
	reopen(f);
	assert_int_equal(history_fold(f->history, &event, 0, 0, NOW_MS + 24 * INT64_C(3600000)), 0);
	assert_int_equal(history_commit(f->history), 0);
	answer = ask(f, "acme", 1, 0);
	assert_string_equal(text_of(answer), "0 0");
	assert_int_equal(json_array_size(json_object_get(answer, "failures")), 1);
	json_decref(answer);
}

/* The newest ten, of each the attempt with its answer. */
static void failures_are_told(void **state) {
	static const struct attempt_response busy = { "busy", "192.0.2.1", "1.1", NULL };
	struct fixture *f = *state;
	json_t *answer, *failures, *first;

	for (int i = 0; i < STATISTICS_FAILURES + 2; i++) {
		struct analytic_event event = event_of(1, ANALYTIC_RETRY, i),
				      success = event_of(2, ANALYTIC_PROCESS_SUCCESS, i),
				      others = event_of(3, ANALYTIC_RETRY, i);

		event.data.delivery.delivery_id.bytes[4] = (uint8_t)i;
		event.data.delivery.status = 500;
		event.data.delivery.reason = "status-500";
		event.data.delivery.response = &busy;
		success.data.delivery.webhook_id = event.data.delivery.webhook_id;
		fold(f, &event);
		fold(f, &success);
		fold(f, &others);
	}
	answer = ask(f, "acme", 1, 0);
	failures = json_object_get(answer, "failures");
	assert_int_equal(json_array_size(failures), STATISTICS_FAILURES);
	first = json_array_get(failures, 0);
	assert_string_equal(json_string_value(json_object_get(first, "timestamp")),
			    "2026-01-31T12:00:11.000Z");
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(first, "data"), "subject")),
	    "subject-1");
	assert_string_equal(
	    json_string_value(json_object_get(
		json_object_get(json_object_get(first, "data"), "response"), "body")),
	    "busy");
	json_decref(answer);
}

static void buckets_are_narrow(void **state _unused_) {
	int last = 0;

	for (int64_t ms = 0; ms < 100 * 1000; ms++) {
		int bucket = duration_bucket(ms);
		int64_t off = duration_bucket_ms(bucket) - ms;

		assert_true(bucket == last || bucket == last + 1);
		assert_true((off < 0 ? -off : off) <= ms / 8);
		last = bucket;
	}
	assert_int_equal(duration_bucket(-1), 0);
	assert_int_equal(duration_bucket(INT64_MAX), DURATION_BUCKETS - 1);
}

static void percentiles(void **state _unused_) {
	static const struct {
		int64_t few, many; /* attempts of 1 ms, of 6 ms */
		int percent;
		int64_t expected;
	} rows[] = {
		{ 0, 0, 50, -1 }, { 1, 0, 50, 1 },  { 1, 0, 99, 1 },  { 1, 1, 50, 1 },
		{ 1, 2, 50, 6 },  { 99, 1, 99, 1 }, { 98, 2, 99, 6 }, { 98, 2, 100, 6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t counts[DURATION_BUCKETS] = { [1] = rows[i].few, [6] = rows[i].many };

		assert_int_equal(duration_percentile(counts, rows[i].percent), rows[i].expected);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(attempts_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_the_tenant_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hours_pass, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_past_is_not_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failures_are_told, set_up, tear_down),
		cmocka_unit_test(buckets_are_narrow),
		cmocka_unit_test(percentiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
