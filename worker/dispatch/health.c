#include "dispatch/health.h"

#include "base/log.h"

enum {
	WINDOW_MAX = 2048, /* of a prompt endpoint: its deliveries until the next refill */
	PROMPT_MS = 1000,
};

void dispatch_health_reset(const struct dispatch_health *health,
			   struct dispatch_endpoint *endpoint) {
	dispatch_endpoint_set_breaker(health->endpoints, endpoint, (struct breaker){ 0 });
	dispatch_endpoint_end_report(health->endpoints, endpoint);
	dispatch_endpoint_set_lane(health->endpoints, endpoint, DISPATCH_LANE_UNPROVEN);
	endpoint->window = 1;
	endpoint->streak = 0;
	endpoint->notice_asked_ms = 0;
	endpoint->has_succeeded = false;
	endpoint->last_status = 0;
	endpoint->last_reason = NULL;
}

void dispatch_health_note(struct dispatch_endpoint *endpoint, const struct webhook *webhook) {
	endpoint->recorded_failing_ms = webhook->failing_since_ms;
	endpoint->is_failing_told = webhook->told.failing_since_ms;
}

void dispatch_health_recall(const struct dispatch_health *health,
			    struct dispatch_endpoint *endpoint, const struct webhook *webhook) {
	endpoint->updated_at_ms = webhook->updated_at_ms;
	dispatch_health_note(endpoint, webhook);
	if (!webhook->failing_since_ms || endpoint->breaker.failing_since_ms)
		return;
	dispatch_endpoint_set_breaker(health->endpoints, endpoint,
				      breaker_reopened(webhook->failing_since_ms));
	dispatch_endpoint_set_lane(health->endpoints, endpoint, DISPATCH_LANE_FAILING);
	endpoint->window = 1;
}

/* Reports. */

/* Only of an open breaker: single failures are not reported. */
static int64_t failing_since_ms(const struct dispatch_endpoint *endpoint) {
	return endpoint->breaker.is_open ? endpoint->breaker.failing_since_ms : 0;
}

static bool has_failed_for_long(const struct dispatch_health *health,
				const struct dispatch_endpoint *endpoint, int64_t now_ms) {
	int64_t since_ms = failing_since_ms(endpoint);

	return since_ms > 0 && now_ms - since_ms >= health->disable_after_ms;
}

static bool is_to_be_told(const struct dispatch_health *health,
			  const struct dispatch_endpoint *endpoint, int64_t now_ms) {
	int64_t since_ms = failing_since_ms(endpoint);

	if (endpoint->is_failing_told)
		return endpoint->has_succeeded;
	return since_ms > 0 &&
	       now_ms - MAX(since_ms, endpoint->notice_asked_ms) >= health->notify_after_ms;
}

static void report_news(const struct dispatch_health *health, struct dispatch_endpoint *endpoint,
			struct route *route, int64_t now_ms) {
	bool is_asked = is_to_be_told(health, endpoint, now_ms);

	if (is_asked)
		endpoint->notice_asked_ms = now_ms;
	if (is_asked || endpoint->breaker.is_gone ||
	    failing_since_ms(endpoint) != endpoint->recorded_failing_ms ||
	    has_failed_for_long(health, endpoint, now_ms))
		dispatch_endpoint_report(health->endpoints, endpoint, route);
}

size_t dispatch_health_list_reports(const struct dispatch_health *health, struct arena *arena,
				    size_t limit, struct dispatch_report **out) {
	const struct dispatch_endpoint *endpoint = health->endpoints->reports;
	size_t count = 0;

	if (!endpoint)
		return 0;
	*out = arena_alloc(arena, limit * sizeof(**out));
	for (; endpoint && count < limit; endpoint = endpoint->next_report)
		(*out)[count++] = (struct dispatch_report){
			.report = { .webhook_id = endpoint->webhook_id,
				    .tenant_id = endpoint->reported->tenant_id,
				    .url = endpoint->reported->url,
				    .failing_since_ms = failing_since_ms(endpoint),
				    .is_gone = endpoint->breaker.is_gone,
				    .has_succeeded = endpoint->has_succeeded,
				    .last_status = endpoint->last_status,
				    .last_reason = endpoint->last_reason },
			.partition_id = endpoint->partition.id,
		};
	return count;
}

void dispatch_health_end_reports(const struct dispatch_health *health, size_t count) {
	for (; count > 0 && health->endpoints->reports; count--) {
		struct dispatch_endpoint *endpoint = health->endpoints->reports;

		dispatch_endpoint_end_report(health->endpoints, endpoint);
		dispatch_endpoint_settle(health->endpoints, endpoint);
	}
}

/* Ends of attempts. */

static enum dispatch_lane lane_after(const struct dispatch_endpoint *endpoint,
				     const struct attempt_result *result) {
	if (!attempt_is_of_endpoint(result))
		return endpoint->lane;
	if (result->reason != ATTEMPT_OK)
		return DISPATCH_LANE_FAILING;
	return result->duration_ms <= PROMPT_MS ? DISPATCH_LANE_PROMPT : DISPATCH_LANE_UNPROVEN;
}

/* The window doubles after a windowful of successes: so the backlog that a breaker held back is
 * paced as well. */
static void widen_window(const struct dispatch_health *health, struct dispatch_endpoint *endpoint) {
	size_t full = health->endpoints->full_window;
	size_t max = endpoint->lane == DISPATCH_LANE_PROMPT ? MAX((size_t)WINDOW_MAX, full) : full;

	if (++endpoint->streak >= endpoint->window) {
		endpoint->window *= 2;
		endpoint->streak = 0;
	}
	endpoint->window = MIN(endpoint->window, max);
}

static void narrow_window(const struct dispatch_health *health, struct dispatch_endpoint *endpoint,
			  enum breaker_effect effect) {
	size_t window = MIN(endpoint->window, health->endpoints->full_window);

	endpoint->streak = 0;
	endpoint->window = effect == BREAKER_NONE     ? window
			   : effect == BREAKER_SLOWER ? MAX(window / 2, (size_t)1)
						      : 1;
}

static void log_breaker(const struct dispatch_endpoint *endpoint, const struct breaker *breaker,
			const struct job *job) {
	const char *tenant = log_quote(job->delivery.tenant_id);
	const char *host = log_quote(job->route->host_key);
	char webhook_id[UUID_TEXT_SIZE];

	uuid_format(&endpoint->webhook_id, webhook_id);
	if (breaker->is_open)
		log_warn("endpoint fails: only probes go to it",
			 "tenant=%s webhook=%s host=%s failures=%d reason=%s error=%s", tenant,
			 webhook_id, host, breaker->failures, attempt_reason_text(&job->result),
			 log_quote(job->error));
	else
		log_info("endpoint takes deliveries again", "tenant=%s webhook=%s host=%s", tenant,
			 webhook_id, host);
}

bool dispatch_health_end_attempt(const struct dispatch_health *health,
				 struct dispatch_endpoint *endpoint, const struct job *job) {
	const struct attempt_result *result = &job->result;
	struct breaker breaker = endpoint->breaker;
	enum breaker_effect effect = BREAKER_NONE;

	dispatch_endpoint_set_lane(health->endpoints, endpoint, lane_after(endpoint, result));
	if (attempt_is_of_endpoint(result)) {
		endpoint->has_succeeded = result->reason == ATTEMPT_OK;
		endpoint->last_status = result->status;
		endpoint->last_reason = attempt_reason_public(result);
	}
	if (result->reason == ATTEMPT_OK) {
		breaker_success(&breaker);
		widen_window(health, endpoint);
	} else {
		effect = breaker_failure(&breaker, &health->breaker, result);
		narrow_window(health, endpoint, effect);
	}
	if (breaker.is_open != endpoint->breaker.is_open)
		log_breaker(endpoint, &breaker, job);
	dispatch_endpoint_set_breaker(health->endpoints, endpoint, breaker);
	report_news(health, endpoint, job->route, result->finished_at_ms);
	return effect == BREAKER_HELD && endpoint->load.count > 0;
}

void dispatch_health_hold(const struct dispatch_health *health, struct dispatch_endpoint *endpoint,
			  int64_t until_ms) {
	struct breaker breaker = endpoint->breaker;

	breaker.hold_until_ms = MAX(breaker.hold_until_ms, until_ms);
	dispatch_endpoint_set_breaker(health->endpoints, endpoint, breaker);
	narrow_window(health, endpoint, BREAKER_HELD);
}
