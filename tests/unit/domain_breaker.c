/* An endpoint's breaker, and its reports to the webhook. */
#include "domain/breaker.h"
#include "domain/endpoint_report.h"
#include "domain/id.h"
#include "unit.h"

enum {
	MAX_FAILURES = 3,
	PROBE_MS = 1000,
	STEPS_MAX = 8,
	HOUR_MS = 3600 * 1000,
	DAY_MS = 24 * HOUR_MS
};

static const struct breaker_policy policy = { MAX_FAILURES, PROBE_MS };

/* The end of an attempt that took 5 ms: its HTTP status (below 0: that reason), Retry-After (-1:
 * none), and when. */
struct step {
	int32_t status;
	int64_t retry_after_ms, at_ms;
};

#define ENDS(...) { __VA_ARGS__, { 0, 0, 0 } }
#define AT(status, at) { status, -1, at }
#define FAILED(times, since, hold_until, is_opened)                                                \
	{ .failures = times,                                                                       \
	  .failing_since_ms = since,                                                               \
	  .hold_until_ms = hold_until,                                                             \
	  .is_open = is_opened }
#define ASKED(status, retry_after, at) { status, retry_after, at }

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
	struct breaker breaker;
	enum breaker_effect effect; /* of the last one, where it failed */
} rows[] = {
	{ "a success", ENDS(AT(200, 10)), { 0 }, BREAKER_NONE },
	{ "a failure", ENDS(AT(500, 10)), FAILED(1, 10, 0, false), BREAKER_NONE },
	{ "so many failures open it", ENDS(AT(500, 10), AT(404, 20), AT(500, 30)),
	  FAILED(3, 10, 1030, true), BREAKER_HELD },
	{ "a success in between", ENDS(AT(500, 10), AT(500, 20), AT(204, 25), AT(500, 30)),
	  FAILED(1, 30, 0, false), BREAKER_NONE },
	{ "a probe that fails", ENDS(AT(500, 10), AT(500, 20), AT(500, 30), AT(500, 1040)),
	  FAILED(4, 10, 2040, true), BREAKER_HELD },
	{ "a probe that succeeds",
	  ENDS(AT(500, 10), AT(500, 20), AT(500, 30), AT(200, 1040)),
	  { 0 },
	  BREAKER_NONE },
	{ "503 asks for less", ENDS(AT(503, 10)), FAILED(1, 10, 0, false), BREAKER_SLOWER },
	{ "429 asks for a time", ENDS(ASKED(429, 5000, 10)), FAILED(1, 10, 5010, false),
	  BREAKER_HELD },
	{ "for no longer than a day", ENDS(ASKED(503, 100LL * DAY_MS, 10)),
	  FAILED(1, 10, DAY_MS + 10, false), BREAKER_HELD },
	{ "500 does not ask, whatever it says", ENDS(ASKED(500, 5000, 10)), FAILED(1, 10, 0, false),
	  BREAKER_NONE },
	{ "what was under way does not take it back",
	  ENDS(ASKED(429, 5000, 10), AT(200, 20)),
	  { .hold_until_ms = 5010 },
	  BREAKER_NONE },
	{ "a shorter one does not either", ENDS(ASKED(429, 5000, 10), ASKED(429, 100, 20)),
	  FAILED(2, 10, 5010, false), BREAKER_HELD },
	{ "the longer of hold and probe", ENDS(AT(500, 10), AT(500, 20), ASKED(503, 9000, 30)),
	  FAILED(3, 10, 9030, true), BREAKER_HELD },
	{ "410 is for good", ENDS(AT(410, 10), AT(200, 20)), { .is_gone = true }, BREAKER_NONE },
	{ "our own fault is not the endpoint's",
	  ENDS(AT(-ATTEMPT_INTERNAL, 10), AT(-ATTEMPT_INTERNAL, 20), AT(-ATTEMPT_INTERNAL, 30)),
	  { 0 },
	  BREAKER_NONE },
	{ "nor is the proxy's absence",
	  ENDS(AT(-ATTEMPT_PROXY_CONNECT, 10), AT(-ATTEMPT_PROXY_CONNECT, 20),
	       AT(-ATTEMPT_PROXY_CONNECT, 30)),
	  { 0 },
	  BREAKER_NONE },
	{ "nor is the proxy's refusal",
	  ENDS(AT(-ATTEMPT_PROXY_REFUSED, 10), AT(-ATTEMPT_PROXY_REFUSED, 20),
	       AT(-ATTEMPT_PROXY_REFUSED, 30)),
	  { 0 },
	  BREAKER_NONE },
	{ "one that the proxy does not reach fails",
	  ENDS(AT(-ATTEMPT_PROXY_GATEWAY, 10), AT(-ATTEMPT_PROXY_GATEWAY, 11),
	       AT(-ATTEMPT_PROXY_GATEWAY, 12)),
	  FAILED(3, 10, 1012, true), BREAKER_HELD },
	{ "breaks at one moment are one",
	  ENDS(AT(-ATTEMPT_PROXY_BROKEN, 100), AT(-ATTEMPT_PROXY_BROKEN, 101),
	       AT(-ATTEMPT_PROXY_BROKEN, 104)),
	  FAILED(1, 100, 0, false), BREAKER_NONE },
	{ "those that follow each other are several",
	  ENDS(AT(-ATTEMPT_PROXY_BROKEN, 100), AT(-ATTEMPT_PROXY_BROKEN, 106),
	       AT(-ATTEMPT_PROXY_BROKEN, 112)),
	  FAILED(3, 100, 1112, true), BREAKER_HELD },
	{ "a break is forgotten after a success",
	  ENDS(AT(-ATTEMPT_PROXY_BROKEN, 100), AT(200, 101), AT(-ATTEMPT_PROXY_BROKEN, 102)),
	  FAILED(1, 102, 0, false), BREAKER_NONE },
};

static struct attempt_result result_of(const struct step *step) {
	return (struct attempt_result){
		.reason = step->status < 0 ? (enum attempt_reason) - step->status
			  : attempt_status_is_success(step->status) ? ATTEMPT_OK
								    : ATTEMPT_STATUS,
		.status = MAX(step->status, 0),
		.duration_ms = 5,
		.retry_after_ms = step->retry_after_ms,
		.finished_at_ms = step->at_ms,
	};
}

static void a_breaker_follows_its_rows(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct breaker *expected = &rows[i].breaker;
		enum breaker_effect effect = BREAKER_NONE;
		struct breaker breaker = { 0 };

		print_message("%s\n", rows[i].name);
		for (const struct step *step = rows[i].steps; step->status; step++) {
			struct attempt_result result = result_of(step);

			effect = BREAKER_NONE;
			if (result.reason == ATTEMPT_OK)
				breaker_success(&breaker);
			else
				effect = breaker_failure(&breaker, &policy, &result);
		}
		assert_int_equal(breaker.failures, expected->failures);
		assert_int_equal(breaker.failing_since_ms, expected->failing_since_ms);
		assert_int_equal(breaker.hold_until_ms, expected->hold_until_ms);
		assert_int_equal(breaker.is_open, expected->is_open);
		assert_int_equal(breaker.is_gone, expected->is_gone);
		assert_int_equal(effect, rows[i].effect);
	}
}

/* Another worker's state is continued: the time since when it fails, and one success ends it. */
static void a_breaker_is_continued_by_another_worker(void **state _unused_) {
	struct attempt_result failure = { .reason = ATTEMPT_TIMEOUT,
					  .retry_after_ms = -1,
					  .finished_at_ms = 500 };
	struct breaker breaker = breaker_reopened(7);

	assert_true(breaker.is_open);
	assert_int_equal(breaker.hold_until_ms, 0);
	assert_int_equal(breaker_failure(&breaker, &policy, &failure), BREAKER_HELD);
	assert_int_equal(breaker.failing_since_ms, 7);
	assert_int_equal(breaker.hold_until_ms, 500 + PROBE_MS);
	breaker_success(&breaker);
	assert_false(breaker.is_open);
}

/* Reports. */

enum { NOW_MS = 1000 * 1000 };

static int no_subscribers(void *userdata _unused_, struct arena *arena _unused_,
			  const char *tenant_id _unused_,
			  const struct subscriber_query *query _unused_,
			  struct subscriber **out _unused_, size_t *count) {
	*count = 0;
	return 0;
}

static const struct registry nobody_listens = { .subscribers = no_subscribers };

static const struct outcome_settings settings = { .endpoint_failing_notify_after_ms = INT64_MAX,
						  .endpoint_disable_after_ms = 5000 };
static const struct notice_context context = { .registry = &nobody_listens, .now_ms = NOW_MS };
static const struct webhook there = {
	.id = { { 1 } }, .tenant_id = "t", .url = "https://a/", .updated_at_ms = 3
};

enum what { NOTHING, KEPT, DISABLED };

static const struct {
	const char *name;
	struct endpoint_report report;
	int64_t recorded_ms;
	bool is_disabled;
	enum what what;
} reports[] = {
	{ "it fails", { .url = "https://a/", .failing_since_ms = NOW_MS - 10 }, 0, false, KEPT },
	{ "it still fails",
	  { .url = "https://a/", .failing_since_ms = NOW_MS - 10 },
	  NOW_MS - 10,
	  false,
	  NOTHING },
	{ "it no longer fails", { .url = "https://a/" }, NOW_MS - 10, false, KEPT },
	{ "it never failed", { .url = "https://a/" }, 0, false, NOTHING },
	{ "one millisecond less than too long",
	  { .url = "https://a/", .failing_since_ms = NOW_MS - 4999 },
	  1,
	  false,
	  KEPT },
	{ "too long",
	  { .url = "https://a/", .failing_since_ms = NOW_MS - 5000 },
	  NOW_MS - 5000,
	  false,
	  DISABLED },
	{ "gone", { .url = "https://a/", .is_gone = true }, 0, false, DISABLED },
	{ "gone, and disabled already",
	  { .url = "https://a/", .is_gone = true },
	  0,
	  true,
	  NOTHING },
	{ "gone from where the webhook no longer is",
	  { .url = "https://b/", .is_gone = true },
	  0,
	  false,
	  NOTHING },
};

static void reports_change_their_webhook(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct webhook webhook = there;
		struct effects effects;

		print_message("%s\n", reports[i].name);
		webhook.failing_since_ms = reports[i].recorded_ms;
		webhook.disabled = reports[i].is_disabled;
		effects_init(&effects, arena);
		assert_int_equal(handle_endpoint_report(&settings, &context, &webhook,
							&reports[i].report, &effects),
				 0);
		assert_int_equal(effects.change_count, reports[i].what != NOTHING);
		assert_int_equal(effects.event_count, reports[i].what == DISABLED);
		if (effects.change_count) {
			const struct webhook *after = &effects.changes[0].record->webhook;

			assert_int_equal(after->disabled, reports[i].what == DISABLED);
			assert_int_equal(after->updated_at_ms,
					 reports[i].what == DISABLED ? NOW_MS : 3);
			assert_int_equal(
			    after->failing_since_ms,
			    reports[i].what == DISABLED ? 0 : reports[i].report.failing_since_ms);
		}
	}
}

static void a_disabled_webhook_has_its_event(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct endpoint_report report = { .url = "https://a/", .is_gone = true };
	struct uuid id = id_of_webhook_disabled(&there);
	const struct analytic_event *event;
	struct effects effects;

	effects_init(&effects, arena);
	assert_int_equal(handle_endpoint_report(&settings, &context, &there, &report, &effects), 0);
	event = &effects.events[0];
	assert_string_equal(analytic_event_type(event->subject, event->step), "WEBHOOK_DISABLED");
	assert_string_equal(event->tenant_id, "t");
	assert_null(event->command_id);
	assert_int_equal(event->data.kind, EVENT_DATA_WEBHOOK);
	assert_true(event->data.webhook.disabled);
	assert_memory_equal(&event->id, &id, sizeof(id));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_breaker_follows_its_rows),
		cmocka_unit_test(a_breaker_is_continued_by_another_worker),
		cmocka_unit_test(reports_change_their_webhook),
		cmocka_unit_test(a_disabled_webhook_has_its_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
