/* The life of a delivery after it was recorded: outcomes, the retry schedule, Retry-After,
 * withdrawal. */
#include "domain/callback_body.h"
#include "domain/delivery_subject.h"
#include "domain/id.h"
#include "domain/outcome.h"
#include "unit.h"

static const int64_t schedule_ms[] = {
	5000, 300000, 1800000, 7200000, 18000000, 36000000, 36000000
};
static const struct outcome_settings settings = {
	.retry = { .schedule_ms = schedule_ms,
		   .schedule_count = ARRAY_LEN(schedule_ms),
		   .jitter = 0.2 },
};
static const struct outcome_settings steady = {
	.retry = { .schedule_ms = schedule_ms, .schedule_count = ARRAY_LEN(schedule_ms) },
};

enum { RETRIES = ARRAY_LEN(schedule_ms) };
static const int64_t now_ms = 1769860800000;

/* Of a delivery whose webhook was deleted nobody is told. */
static int no_webhook(void *userdata _unused_, struct arena *arena _unused_,
		      const char *tenant_id _unused_, const struct uuid *id _unused_,
		      struct webhook *out _unused_) {
	return REGISTRY_E_NOT_FOUND;
}

static const struct registry registry = { .webhook_get = no_webhook };
static const struct notice_context context = { .registry = &registry, .now_ms = now_ms };

#define BODY "{\"event\":{\"payload\":{\"userId\":\"u\",\"credentialId\":\"cred-1\"}}}"

static const struct delivery fresh = {
	.id = { { 1, 2, 3 } },
	.webhook_id = { { 4, 5, 6 } },
	.tenant_id = "t",
	.command_id = "c",
	.request_id = "request",
	.client_id = "client",
	.traceparent = "00-trace",
	.event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
	.event_id = { { 7, 8, 9 } },
	.body = BODY,
	.body_len = sizeof(BODY) - 1,
	.created_at_ms = now_ms - 5000,
	.next_attempt_at_ms = now_ms - 5000,
};

static const struct attempt_response answer = { "busy", "192.0.2.1", "1.1", "TLSv1.3" };

static struct attempt_result result_of(enum attempt_reason reason, int32_t status) {
	return (struct attempt_result){ .reason = reason,
					.status = status,
					.retry_after_ms = -1,
					.duration_ms = 42,
					.started_at_ms = now_ms - 43,
					.finished_at_ms = now_ms,
					.response = reason == ATTEMPT_OK ? NULL : &answer };
}

static void assert_own_event(const struct effects *effects, enum analytic_step step,
			     int64_t at_ms) {
	const struct analytic_event *event = &effects->events[0];

	assert_int_equal(effects->event_count, 1);
	assert_int_equal(event->subject, ANALYTIC_WEBHOOK_EVENT);
	assert_int_equal(event->step, step);
	assert_int_equal(event->timestamp_ms, at_ms);
	assert_string_equal(event->tenant_id, "t");
	assert_string_equal(event->command_id, "c");
	assert_string_equal(event->request_id, "request");
	assert_string_equal(event->traceparent, "00-trace");
	assert_int_equal(event->data.kind, EVENT_DATA_DELIVERY);
	assert_memory_equal(&event->data.delivery.delivery_id, &fresh.id, sizeof(fresh.id));
	assert_memory_equal(&event->data.delivery.webhook_id, &fresh.webhook_id,
			    sizeof(fresh.webhook_id));
	assert_true(event->data.delivery.has_event_id);
	assert_memory_equal(&event->data.delivery.event_id, &fresh.event_id,
			    sizeof(fresh.event_id));
	assert_string_equal(event->data.delivery.subject, "cred-1");
}

static void success_ends_it(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct attempt_result result = result_of(ATTEMPT_OK, 204);
	struct effects effects;

	effects_init(&effects, arena);
	assert_int_equal(handle_outcome(&settings, &context, &fresh, &result, &effects), 0);
	assert_own_event(&effects, ANALYTIC_PROCESS_SUCCESS, now_ms);
	assert_int_equal(effects.events[0].status, 204);
	assert_int_equal(effects.events[0].data.delivery.attempt, 1);
	assert_int_equal(effects.events[0].data.delivery.duration_ms, 42);
	assert_null(effects.events[0].data.delivery.reason);
	assert_int_equal(effects.change_count, 1);
	assert_null(effects.changes[0].record);
	assert_int_equal(effects.changes[0].key.kind, STATE_DELIVERY);
	assert_memory_equal(&effects.changes[0].key.id, &fresh.id, sizeof(fresh.id));
}

static void failure_schedules_the_next_attempt(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct attempt_result result = result_of(ATTEMPT_STATUS, 503);
	const struct delivery *next;
	struct effects effects;

	effects_init(&effects, arena);
	assert_int_equal(handle_outcome(&steady, &context, &fresh, &result, &effects), 0);
	assert_own_event(&effects, ANALYTIC_RETRY, now_ms);
	next = &effects.changes[0].record->delivery;
	assert_int_equal(next->status, DELIVERY_PENDING);
	assert_int_equal(next->attempts, 1);
	assert_int_equal(next->last_status, 503);
	assert_string_equal(next->last_reason, "status-503");
	assert_int_equal(next->next_attempt_at_ms, now_ms + 5000);
	assert_int_equal(next->created_at_ms, fresh.created_at_ms);
	assert_ptr_equal(next->body, fresh.body);
	assert_int_equal(effects.events[0].data.delivery.attempt, 1);
	assert_int_equal(effects.events[0].data.delivery.attempted_at_ms, now_ms - 43);
	assert_ptr_equal(effects.events[0].data.delivery.response, &answer);
	assert_int_equal(effects.events[0].data.delivery.next_attempt_at_ms, now_ms + 5000);
	assert_string_equal(effects.events[0].data.delivery.reason, "status-503");
}

/* Eight attempts, seven waits between them; no event id twice, nor after a recovery. */
static void an_endpoint_that_never_answers_ends_it_dead(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct uuid ids[2 * (RETRIES + 1)];
	struct delivery delivery = fresh;
	size_t count = 0;

	for (int life = 0; life < 2; life++) {
		int64_t at_ms = now_ms + life;

		for (int attempt = 1; attempt <= RETRIES + 1; attempt++) {
			struct attempt_result result = result_of(ATTEMPT_TIMEOUT, 0);
			struct effects effects;

			result.finished_at_ms = at_ms;
			effects_init(&effects, arena);
			assert_int_equal(
			    handle_outcome(&settings, &context, &delivery, &result, &effects), 0);
			assert_own_event(
			    &effects, attempt <= RETRIES ? ANALYTIC_RETRY : ANALYTIC_PROCESS_FAIL,
			    at_ms);
			assert_int_equal(effects.events[0].data.delivery.attempt, attempt);
			ids[count++] = effects.events[0].id;
			delivery = effects.changes[0].record->delivery;
		}
		assert_int_equal(delivery.status, DELIVERY_DEAD);
		assert_int_equal(delivery.attempts, RETRIES + 1);
		assert_int_equal(delivery.next_attempt_at_ms, at_ms);
		assert_string_equal(delivery.last_reason, "timeout");
		delivery.status = DELIVERY_PENDING;
		delivery.attempts = 0;
		delivery.next_attempt_at_ms = at_ms + 1;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(&ids[i], &ids[j], sizeof(ids[i]));
}

static void a_credential_is_the_subject(void **state _unused_) {
	static const struct {
		const char *type, *user_id, *credential_id, *own, *expected; /* NULL: none */
	} rows[] = {
		{ EVENT_TYPE_CREDENTIAL_ISSUED, "u", "cred-1", NULL, "cred-1" },
		{ EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY, "u", "cred-1", NULL, "cred-1" },
		{ EVENT_TYPE_CREDENTIAL_ISSUED, NULL, "cred-1", NULL, "cred-1" },
		{ EVENT_TYPE_CREDENTIAL_ISSUED, "null", "cred-1", NULL, "cred-1" },
		{ EVENT_TYPE_CREDENTIAL_ISSUED, "a\"b\\", "c\"d\\\xc3\xa9\xe2\x80\xae", NULL,
		  "c\"d\\\xc3\xa9\xe2\x80\xae" },
		{ EVENT_TYPE_CREDENTIAL_ISSUED,
		  "\"payload\":{\"userId\":\"x\",\"credentialId\":\"y", "z", NULL, "z" },
		{ EVENT_TYPE_WEBHOOK_TEST, "u", "cred-1", NULL, NULL },
		{ "DegreeRevoked", "u", "cred-1", "degree-7", "degree-7" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		_cleanup_(buffer_destroy) struct buffer json = BUFFER_INIT(EVENT_JSON_MAX);
		struct delivery delivery = fresh;
		struct issuance issuance = { .user_id = rows[i].user_id,
					     .credential_id = rows[i].credential_id,
					     .credential_configuration_id = "Degree",
					     .credential_profile = "ietf",
					     .format = "dc+sd-jwt",
					     .credential = "{\"payload\":{}}" };
		const char *subject;

		event_json_issued(&json, &issuance, BUILTIN_CREDENTIAL_ISSUED, &fresh.event_id);
		callback_body(arena, &json, &delivery);
		delivery.event_type = rows[i].type;
		delivery.subject = rows[i].own;
		subject = delivery_subject(arena, &delivery);
		if (rows[i].expected)
			assert_string_equal(subject, rows[i].expected);
		else
			assert_null(subject);
		delivery.body = NULL;
		assert_ptr_equal(delivery_subject(arena, &delivery), rows[i].own);
	}
}

static void a_cancellation_ends_it(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct delivery delivery = fresh;
	struct effects effects;

	delivery.attempts = 2;
	delivery.last_status = 500;
	effects_init(&effects, arena);
	handle_cancelled(&delivery, "webhook-deleted", now_ms, &effects);
	assert_own_event(&effects, ANALYTIC_PROCESS_FAIL, now_ms);
	assert_string_equal(effects.events[0].data.delivery.reason, "webhook-deleted");
	assert_int_equal(effects.events[0].data.delivery.attempt, 2);
	assert_null(effects.changes[0].record);
}

static void waits_follow_the_schedule_within_the_jitter(void **state _unused_) {
	bool earlier = false, later = false;

	for (int32_t attempts = 1; attempts <= RETRIES; attempts++) {
		int64_t base_ms = schedule_ms[attempts - 1];

		for (uint8_t i = 0; i < 200; i++) {
			struct uuid id = { { i, 7 } };
			int64_t delay_ms = retry_delay_ms(&settings.retry, &id, attempts, -1);

			assert_in_range(delay_ms, base_ms * 8 / 10, base_ms * 12 / 10);
			assert_int_equal(delay_ms,
					 retry_delay_ms(&settings.retry, &id, attempts, -1));
			assert_int_equal(retry_delay_ms(&steady.retry, &id, attempts, -1), base_ms);
			earlier |= delay_ms < base_ms * 85 / 100;
			later |= delay_ms > base_ms * 115 / 100;
		}
	}
	assert_true(earlier && later);
	assert_int_equal(retry_delay_ms(&settings.retry, &fresh.id, RETRIES + 1, -1), -1);
	assert_int_equal(retry_delay_ms(&settings.retry, &fresh.id, RETRIES + 1, 1000), -1);
}

static const struct {
	int32_t attempts;
	int64_t retry_after_ms, delay_ms;
} honoured[] = {
	{ 1, -1, 5000 },
	{ 1, 0, 5000 },
	{ 1, 4999, 5000 },
	{ 1, 5001, 5001 },
	{ 1, 120000, 120000 },
	{ 1, RETRY_AFTER_MAX_MS, RETRY_AFTER_MAX_MS },
	{ 1, RETRY_AFTER_MAX_MS + 1LL, RETRY_AFTER_MAX_MS },
	{ 1, INT64_MAX, RETRY_AFTER_MAX_MS },
	{ 7, 120000, 36000000 },
};

static void retry_after_is_honoured_within_bounds(void **state _unused_) {
	const int64_t two_days_ms[] = { 2LL * 24 * 3600 * 1000 };
	const struct retry_policy patient = { .schedule_ms = two_days_ms, .schedule_count = 1 };

	for (size_t i = 0; i < ARRAY_LEN(honoured); i++)
		assert_int_equal(retry_delay_ms(&steady.retry, &fresh.id, honoured[i].attempts,
						honoured[i].retry_after_ms),
				 honoured[i].delay_ms);
	assert_int_equal(retry_delay_ms(&patient, &fresh.id, 1, 1000), two_days_ms[0]);
}

static void a_clock_step_buries_nothing(void **state _unused_) {
	enum { LONGEST_MS = 36000000 / 10 * 12 };
	static const struct {
		int32_t attempts, last_status;
		int64_t ahead_ms; /* how far the next attempt lies ahead, as it was recorded */
		bool is_believed; /* else it is due now */
		bool clock_was_ahead;
	} rows[] = {
		{ 0, 0, -1, true, false },
		{ 0, 0, 0, true, false },
		{ 0, 0, 1, false, false },
		{ 1, 500, 1, true, false },
		{ 1, 0, LONGEST_MS, true, false },
		{ 1, 500, LONGEST_MS + 1, false, false },
		{ 7, 503, LONGEST_MS + 1, true, false },
		{ 1, 429, RETRY_AFTER_MAX_MS, true, false },
		{ 1, 429, RETRY_AFTER_MAX_MS + 1, false, false },
		{ 0, 0, 1, false, true },
		{ 1, 500, 6000, true, true },
		{ 1, 500, 6001, false, true },
		{ 1, 503, 6001, false, true },
		{ RETRIES, 503, LONGEST_MS, true, true },
		{ RETRIES, 503, LONGEST_MS + 1, false, true },
		{ RETRIES + 1, 503, 1, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct delivery delivery = fresh;

		delivery.attempts = rows[i].attempts;
		delivery.last_status = rows[i].last_status;
		delivery.next_attempt_at_ms = now_ms + rows[i].ahead_ms;
		assert_int_equal(
		    retry_due_ms(&settings.retry, &delivery, now_ms, rows[i].clock_was_ahead),
		    now_ms + (rows[i].is_believed ? rows[i].ahead_ms : 0));
	}
}

static const struct {
	enum attempt_reason reason;
	int32_t status;
	const char *text;
	const char *told;
} reasons[] = {
	{ ATTEMPT_STATUS, 100, "status-100", "status-100" },
	{ ATTEMPT_STATUS, 301, "status-301", "status-301" },
	{ ATTEMPT_STATUS, 410, "status-410", "status-410" },
	{ ATTEMPT_STATUS, 599, "status-599", "status-599" },
	{ ATTEMPT_STATUS, 999, "status-999", "status-999" },
	{ ATTEMPT_STATUS, 0, "status", "status" },
	{ ATTEMPT_STATUS, 1000, "status", "status" },
	{ ATTEMPT_TIMEOUT, 0, "timeout", "timeout" },
	{ ATTEMPT_CONNECT, 0, "connect", "connect" },
	{ ATTEMPT_DNS, 0, "dns", "no-address" },
	{ ATTEMPT_TLS, 0, "tls", "tls" },
	{ ATTEMPT_ADDRESS_REFUSED, 0, "address-refused", "no-address" },
	{ ATTEMPT_PROTOCOL, 0, "protocol", "protocol" },
	{ ATTEMPT_INTERNAL, 0, "internal", "internal" },
	{ ATTEMPT_PROXY_CONNECT, 0, "proxy-connect", "proxy" },
	{ ATTEMPT_PROXY_REFUSED, 0, "proxy-refused", "proxy" },
	{ ATTEMPT_PROXY_GATEWAY, 0, "proxy-gateway", "proxy" },
	{ ATTEMPT_PROXY_BROKEN, 0, "proxy-broken", "proxy" },
};

static void reasons_have_texts(void **state _unused_) {
	struct attempt_result ok = result_of(ATTEMPT_OK, 200);

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		struct attempt_result result = result_of(reasons[i].reason, reasons[i].status);

		assert_string_equal(attempt_reason_text(&result), reasons[i].text);
		assert_string_equal(attempt_reason_public(&result), reasons[i].told);
		assert_string_equal(attempt_reason_translate(reasons[i].text),
				    attempt_reason_public(&result));
	}
	for (int status = 100; status <= 999; status++) {
		struct attempt_result result = result_of(ATTEMPT_STATUS, status);

		assert_int_equal(atoi(attempt_reason_text(&result) + strlen("status-")), status);
	}
	assert_null(attempt_reason_text(&ok));
	assert_null(attempt_reason_public(&ok));
	assert_null(attempt_reason_translate(NULL));
}

/* As seen from Sun, 06 Nov 1994 08:49:00 GMT. */
static const struct {
	const char *value;
	int64_t wait_ms;
} retry_afters[] = {
	{ "0", 0 },
	{ "120", 120000 },
	{ " 120\t", 120000 },
	{ "0120", 120000 },
	{ "86401", 86401000 },
	{ "99999999999999999999999", 316224000000 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 37000 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", 37000 },
	{ "Sun Nov  6 08:49:37 1994", 37000 },
	{ "Sun, 06 Nov 1994 08:48:00 GMT", 0 },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "", -1 },
	{ " ", -1 },
	{ "-1", -1 },
	{ "+5", -1 },
	{ "1.5", -1 },
	{ "5s", -1 },
	{ "5 5", -1 },
	{ "0x10", -1 },
	{ "soon", -1 },
	{ "4                                                                     and more, behind "
	  "the longest date",
	  -1 },
	{ "4                                                                                       "
	  "              ",
	  4000 },
	{ "Sun, 06 Nov 1994 08:49:37 +0100", -1 },
	{ "Sun, 06 Nov 1994 08:49:37", -1 },
	{ "Mon, 06 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 31 Feb 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 25:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT and more", -1 },
	{ "1994-11-06T08:49:37Z", -1 },
	{ "Sun Nov   601:24:373988", -1 },
	{ "Thu, 02 Jan 31 02:15:07 GMT", -1 },
	{ "Sun,06Nov1994 08:49:37GMT", -1 },
	{ "Sunday, 06 Nov 1994 08:49:37 GMT", -1 },
};

static void retry_after_takes_both_forms(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(retry_afters); i++) {
		int64_t wait_ms = retry_after_parse(retry_afters[i].value, 784111740000);

		if (wait_ms != retry_afters[i].wait_ms)
			fail_msg("\"%s\": %lld, not %lld", retry_afters[i].value,
				 (long long)wait_ms, (long long)retry_afters[i].wait_ms);
	}
}

static void only_2xx_is_success(void **state _unused_) {
	assert_true(attempt_status_is_success(200) && attempt_status_is_success(204) &&
		    attempt_status_is_success(299));
	assert_false(attempt_status_is_success(199) || attempt_status_is_success(300) ||
		     attempt_status_is_success(0));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_ends_it),
		cmocka_unit_test(failure_schedules_the_next_attempt),
		cmocka_unit_test(an_endpoint_that_never_answers_ends_it_dead),
		cmocka_unit_test(a_credential_is_the_subject),
		cmocka_unit_test(a_cancellation_ends_it),
		cmocka_unit_test(waits_follow_the_schedule_within_the_jitter),
		cmocka_unit_test(retry_after_is_honoured_within_bounds),
		cmocka_unit_test(a_clock_step_buries_nothing),
		cmocka_unit_test(reasons_have_texts),
		cmocka_unit_test(retry_after_takes_both_forms),
		cmocka_unit_test(only_2xx_is_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
