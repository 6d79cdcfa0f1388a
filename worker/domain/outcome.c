#include "domain/outcome.h"

#include "base/invariant.h"
#include "domain/delivery_event.h"

static void end_delivery(struct effects *out, const struct delivery *delivery) {
	effects_delete(out, &(struct state_key){ .kind = STATE_DELIVERY, .id = delivery->id });
}

static struct delivery_report report_of(struct effects *out, const struct delivery *delivery,
					const struct attempt_result *result) {
	struct delivery_report report = delivery_event_report(out->arena, delivery);

	report.attempt = delivery->attempts + 1;
	report.status = result->status;
	report.reason = attempt_reason_public(result);
	report.duration_ms = result->duration_ms;
	report.attempted_at_ms = result->started_at_ms;
	report.response = result->response;
	return report;
}

/* Schedules another attempt or makes the delivery dead: rewrites its record. */
static void fail_attempt(const struct outcome_settings *settings, const struct delivery *delivery,
			 const struct attempt_result *result, struct effects *out) {
	struct state_record record = { .kind = STATE_DELIVERY, .delivery = *delivery };
	struct delivery_report report = report_of(out, delivery, result);
	int64_t retry_after_ms =
	    attempt_may_ask_to_wait(result->status) ? result->retry_after_ms : -1;
	int64_t delay_ms =
	    retry_delay_ms(&settings->retry, &delivery->id, report.attempt, retry_after_ms);
	bool is_exhausted = delay_ms < 0;

	record.delivery.attempts = report.attempt;
	record.delivery.last_status = report.status;
	record.delivery.last_reason = report.reason;
	record.delivery.status = is_exhausted ? DELIVERY_DEAD : DELIVERY_PENDING;
	record.delivery.next_attempt_at_ms = result->finished_at_ms + (is_exhausted ? 0 : delay_ms);
	effects_put(out, &record);
	if (!is_exhausted)
		report.next_attempt_at_ms = record.delivery.next_attempt_at_ms;
	delivery_event_add(out, delivery, is_exhausted ? ANALYTIC_PROCESS_FAIL : ANALYTIC_RETRY,
			   result->finished_at_ms, &report);
}

static void succeed(const struct outcome_settings *settings, const struct delivery *delivery,
		    const struct attempt_result *result, struct effects *out) {
	struct state_record record = { .kind = STATE_DELIVERY, .delivery = *delivery };

	if (!settings->keeps_succeeded) {
		end_delivery(out, delivery);
		return;
	}
	record.delivery.status = DELIVERY_SUCCEEDED;
	record.delivery.attempts++;
	record.delivery.last_status = result->status;
	record.delivery.last_reason = NULL;
	record.delivery.next_attempt_at_ms = result->finished_at_ms;
	effects_put(out, &record);
}

void handle_outcome(const struct outcome_settings *settings, const struct delivery *delivery,
		    const struct attempt_result *result, struct effects *out) {
	struct delivery_report report;

	invariant_with(delivery->status == DELIVERY_PENDING, "only a pending delivery is attempted",
		       "status=%d", (int)delivery->status);
	if (result->reason != ATTEMPT_OK && !attempt_is_gone(result)) {
		fail_attempt(settings, delivery, result, out);
		return;
	}
	report = report_of(out, delivery, result);
	if (result->reason == ATTEMPT_OK)
		succeed(settings, delivery, result, out);
	else
		end_delivery(out, delivery);
	delivery_event_add(out, delivery,
			   result->reason == ATTEMPT_OK ? ANALYTIC_PROCESS_SUCCESS
							: ANALYTIC_PROCESS_FAIL,
			   result->finished_at_ms, &report);
}

void handle_cancelled(const struct delivery *delivery, const char *reason, int64_t now_ms,
		      struct effects *out) {
	struct delivery_report report = delivery_event_report(out->arena, delivery);

	report.attempt = delivery->attempts;
	report.status = delivery->last_status;
	report.reason = reason;
	end_delivery(out, delivery);
	delivery_event_add(out, delivery, ANALYTIC_PROCESS_FAIL, now_ms, &report);
}
