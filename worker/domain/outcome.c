#include "domain/outcome.h"

#include "base/invariant.h"
#include "domain/delivery_subject.h"
#include "domain/id.h"

static void add_event(struct effects *out, const struct delivery *delivery, enum analytic_step step,
		      int64_t timestamp_ms, const struct delivery_report *report) {
	effects_event(out, &(struct analytic_event){
			       .id = id_of_delivery_event(delivery, report->attempt, step),
			       .subject = ANALYTIC_WEBHOOK_EVENT,
			       .step = step,
			       .timestamp_ms = timestamp_ms,
			       .tenant_id = delivery->tenant_id,
			       .command_id = delivery->command_id,
			       .request_id = delivery->request_id,
			       .client_id = delivery->client_id,
			       .traceparent = delivery->traceparent,
			       .status = report->status,
			       .data = { .kind = EVENT_DATA_DELIVERY, .delivery = *report },
			   });
}

static void end_delivery(struct effects *out, const struct delivery *delivery) {
	effects_delete(out, &(struct state_key){ .kind = STATE_DELIVERY, .id = delivery->id });
}

static struct delivery_report report_of(struct effects *out, const struct delivery *delivery,
					const struct attempt_result *result) {
	return (struct delivery_report){
		.delivery_id = delivery->id,
		.webhook_id = delivery->webhook_id,
		.event_type = delivery->event_type,
		.attempt = delivery->attempts + 1,
		.status = result->status,
		.reason = attempt_reason_public(result),
		.duration_ms = result->duration_ms,
		.has_event_id = true,
		.event_id = delivery->event_id,
		.subject = delivery_subject(out->arena, delivery),
		.attempted_at_ms = result->started_at_ms,
		.response = result->response,
	};
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
	add_event(out, delivery, is_exhausted ? ANALYTIC_PROCESS_FAIL : ANALYTIC_RETRY,
		  result->finished_at_ms, &report);
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
	end_delivery(out, delivery);
	add_event(out, delivery,
		  result->reason == ATTEMPT_OK ? ANALYTIC_PROCESS_SUCCESS : ANALYTIC_PROCESS_FAIL,
		  result->finished_at_ms, &report);
}

void handle_cancelled(const struct delivery *delivery, const char *reason, int64_t now_ms,
		      struct effects *out) {
	end_delivery(out, delivery);
	add_event(out, delivery, ANALYTIC_PROCESS_FAIL, now_ms,
		  &(struct delivery_report){
		      .delivery_id = delivery->id,
		      .webhook_id = delivery->webhook_id,
		      .event_type = delivery->event_type,
		      .attempt = delivery->attempts,
		      .status = delivery->last_status,
		      .reason = reason,
		      .duration_ms = -1,
		      .has_event_id = true,
		      .event_id = delivery->event_id,
		      .subject = delivery_subject(out->arena, delivery),
		  });
}
