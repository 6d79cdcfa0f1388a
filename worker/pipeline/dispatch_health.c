/* What the attempts of an endpoint do to its window and its breaker, and what its webhook is to
 * know of that. */
#include "base/clock.h"
#include "pipeline/dispatch_internal.h"

#include <utlist.h>

enum {
	WINDOW_MAX = 2048, /* of a prompt endpoint: what it takes between two turns */
	PROMPT_MS = 1000,
};

int endpoint_full_window(const struct dispatch *d) {
	return d->settings.config->delivery_max_in_flight_per_endpoint;
}

bool endpoint_is_open(const struct endpoint *endpoint, int64_t now_ms) {
	return !endpoint->breaker.is_gone && endpoint->breaker.hold_until_ms <= now_ms;
}

static void set_breaker(struct dispatch *d, struct endpoint *endpoint, struct breaker breaker) {
	d->open_breakers += breaker.is_open - endpoint->breaker.is_open;
	endpoint->breaker = breaker;
}

void endpoint_reset_health(struct dispatch *d, struct endpoint *endpoint) {
	set_breaker(d, endpoint, (struct breaker){ 0 });
	endpoint_leave_reports(d, endpoint);
	endpoint_set_lane(d, endpoint, LANE_UNPROVEN);
	endpoint->window = 1;
	endpoint->streak = 0;
}

void endpoint_recall_health(struct dispatch *d, struct endpoint *endpoint,
			    const struct webhook *webhook) {
	endpoint->updated_at_ms = webhook->updated_at_ms;
	endpoint->recorded_failing_ms = webhook->failing_since_ms;
	if (!webhook->failing_since_ms || endpoint->breaker.failing_since_ms)
		return;
	set_breaker(d, endpoint, breaker_reopened(webhook->failing_since_ms));
	endpoint_set_lane(d, endpoint, LANE_FAILING);
	endpoint->window = 1;
}

/* Reports. */

/*
 * One that is gone is held until its webhook was told, and no longer: the webhook is disabled then,
 * or has moved, and it was the old url that is gone. What was not told, because the partition is no
 * longer ours, the next attempt finds out again.
 */
void endpoint_leave_reports(struct dispatch *d, struct endpoint *endpoint) {
	if (!endpoint->reported)
		return;
	DL_DELETE2(d->reports, endpoint, prev_report, next_report);
	route_unref(TAKE(endpoint->reported));
	endpoint->breaker.is_gone = false;
}

/* An endpoint that fails now and then is nobody's business; one whose breaker opened is. */
static int64_t failing_since_ms(const struct endpoint *endpoint) {
	return endpoint->breaker.is_open ? endpoint->breaker.failing_since_ms : 0;
}

static bool has_failed_for_long(const struct dispatch *d, const struct endpoint *endpoint,
				int64_t now_ms) {
	int64_t since_ms = failing_since_ms(endpoint);

	return since_ms > 0 && now_ms - since_ms >= d->settings.config->endpoint_disable_after_ms;
}

static void report_if_news(struct dispatch *d, struct endpoint *endpoint, struct route *route,
			   int64_t now_ms) {
	bool is_news = endpoint->breaker.is_gone ||
		       failing_since_ms(endpoint) != endpoint->recorded_failing_ms ||
		       has_failed_for_long(d, endpoint, now_ms);

	if (!is_news || endpoint->reported)
		return;
	DL_APPEND2(d->reports, endpoint, prev_report, next_report);
	endpoint->reported = route_ref(route);
}

size_t dispatch_reports(const struct dispatch *d, struct arena *arena, size_t limit,
			struct dispatch_report **out) {
	struct endpoint *endpoint;
	size_t count = 0;

	if (!d->reports)
		return 0;
	*out = arena_alloc(arena, limit * sizeof(**out));
	for (endpoint = d->reports; endpoint && count < limit; endpoint = endpoint->next_report)
		(*out)[count++] = (struct dispatch_report){
			.report = { .webhook_id = endpoint->webhook_id,
				    .tenant_id = endpoint->reported->tenant_id,
				    .url = endpoint->reported->url,
				    .failing_since_ms = failing_since_ms(endpoint),
				    .is_gone = endpoint->breaker.is_gone },
			.partition = endpoint->partition,
		};
	return count;
}

void dispatch_reported(struct dispatch *d, size_t count) {
	while (count-- > 0 && d->reports) {
		struct endpoint *endpoint = d->reports;

		endpoint_leave_reports(d, endpoint);
		endpoint_settle(d, endpoint);
	}
}

/* Ends of attempts. */

static enum lane lane_after(const struct endpoint *endpoint, const struct attempt_result *result) {
	if (result->reason == ATTEMPT_INTERNAL) /* says nothing of the endpoint */
		return endpoint->lane;
	if (result->reason != ATTEMPT_OK)
		return LANE_FAILING;
	return result->duration_ms <= PROMPT_MS ? LANE_PROMPT : LANE_UNPROVEN;
}

/* The window doubles after a windowful of successes: so it paces what a breaker held back, too. */
static void widen(struct dispatch *d, struct endpoint *endpoint) {
	int full = endpoint_full_window(d),
	    max = endpoint->lane == LANE_PROMPT ? MAX(WINDOW_MAX, full) : full;

	if (++endpoint->streak >= endpoint->window) {
		endpoint->window *= 2;
		endpoint->streak = 0;
	}
	endpoint->window = MIN(endpoint->window, max);
}

static void narrow(struct dispatch *d, struct endpoint *endpoint, enum breaker_effect effect) {
	int window = MIN(endpoint->window, endpoint_full_window(d));

	endpoint->streak = 0;
	endpoint->window = effect == BREAKER_NONE     ? window
			   : effect == BREAKER_SLOWER ? MAX(window / 2, 1)
						      : 1;
	/* What the engine has of it goes back; one will come again as the probe. */
	if (effect == BREAKER_HELD && endpoint->outstanding > 0)
		engine_drop_endpoint(d->settings.engine, &endpoint->webhook_id);
}

static void log_breaker(const struct endpoint *endpoint, const struct breaker *breaker,
			const struct job *job) {
	char webhook_id[UUID_TEXT_SIZE];

	uuid_format(&endpoint->webhook_id, webhook_id);
	if (breaker->is_open)
		log_warn("endpoint fails: only probes go to it",
			 "webhook=%s failures=%d reason=%s error=%s", webhook_id, breaker->failures,
			 attempt_reason_text(&job->result), log_quote(job->error));
	else
		log_info("endpoint takes deliveries again", "webhook=%s", webhook_id);
}

void endpoint_attempted(struct dispatch *d, struct endpoint *endpoint, const struct job *job) {
	const struct attempt_result *result = &job->result;
	struct breaker breaker = endpoint->breaker;

	endpoint_set_lane(d, endpoint, lane_after(endpoint, result));
	if (result->reason == ATTEMPT_OK) {
		breaker_success(&breaker);
		widen(d, endpoint);
	} else {
		narrow(d, endpoint, breaker_failure(&breaker, &d->breaker, result));
	}
	if (breaker.is_open != endpoint->breaker.is_open)
		log_breaker(endpoint, &breaker, job);
	set_breaker(d, endpoint, breaker);
	report_if_news(d, endpoint, job->route, result->finished_at_ms);
}
