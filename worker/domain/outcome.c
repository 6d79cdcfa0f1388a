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

/* Tells the tenant of the delivery, which is as it ended. Where its webhook was deleted there is
 * nothing to tell. */
static int tell_dead(const struct notice_context *context, const struct delivery *ended,
		     int64_t moment_ms, struct effects *out) {
	const struct registry *registry = context->registry;
	struct state_record record = { .kind = STATE_WEBHOOK };
	struct webhook *webhook = &record.webhook;
	struct notice notice = {
		.type = BUILTIN_DELIVERY_DEAD,
		.webhook = webhook,
		.at_ms = context->now_ms,
		.moment_ms = moment_ms,
		.last_status = ended->last_status,
		.last_reason = ended->last_reason,
		.delivery = ended,
	};
	int64_t told_at_ms;
	int r;

	if (event_type_is_notice(ended->event_type))
		return 0;
	r = registry->webhook_get(registry->userdata, out->arena, ended->tenant_id,
				  &ended->webhook_id, webhook);
	if (r)
		return MIN(r, 0);
	told_at_ms = webhook->told.dead_at_ms;
	r = notice_tell_hourly(context, &notice, &webhook->told.dead_at_ms, out);
	if (r == 0 && webhook->told.dead_at_ms != told_at_ms)
		effects_put(out, &record);
	return r;
}

/* The delivery behind the attempt, which ended it. */
static struct delivery delivery_after(const struct delivery *delivery,
				      const struct attempt_result *result) {
	struct delivery after = *delivery;

	after.attempts++;
	after.last_status = result->status;
	after.last_reason = attempt_reason_public(result);
	after.next_attempt_at_ms = result->finished_at_ms;
	return after;
}

/* Schedules another attempt or makes the delivery dead: rewrites its record. */
static enum analytic_step fail_attempt(const struct outcome_settings *settings,
				       const struct attempt_result *result, struct delivery *after,
				       struct effects *out) {
	int64_t retry_after_ms =
	    attempt_may_ask_to_wait(result->status) ? result->retry_after_ms : -1;
	int64_t delay_ms =
	    retry_delay_ms(&settings->retry, &after->id, after->attempts, retry_after_ms);
	bool is_exhausted = delay_ms < 0;

	after->status = is_exhausted ? DELIVERY_DEAD : DELIVERY_PENDING;
	after->next_attempt_at_ms += is_exhausted ? 0 : delay_ms;
	effects_put(out, &(struct state_record){ .kind = STATE_DELIVERY, .delivery = *after });
	return is_exhausted ? ANALYTIC_PROCESS_FAIL : ANALYTIC_RETRY;
}

static void succeed(const struct outcome_settings *settings, struct delivery *after,
		    struct effects *out) {
	if (!settings->keeps_succeeded) {
		end_delivery(out, after);
		return;
	}
	after->status = DELIVERY_SUCCEEDED;
	effects_put(out, &(struct state_record){ .kind = STATE_DELIVERY, .delivery = *after });
}

static enum analytic_step end_attempt(const struct outcome_settings *settings,
				      const struct attempt_result *result, struct delivery *after,
				      struct effects *out) {
	if (result->reason != ATTEMPT_OK && !attempt_is_gone(result))
		return fail_attempt(settings, result, after, out);
	if (result->reason == ATTEMPT_OK)
		succeed(settings, after, out);
	else
		end_delivery(out, after);
	return result->reason == ATTEMPT_OK ? ANALYTIC_PROCESS_SUCCESS : ANALYTIC_PROCESS_FAIL;
}

int handle_outcome(const struct outcome_settings *settings, const struct notice_context *context,
		   const struct delivery *delivery, const struct attempt_result *result,
		   struct effects *out) {
	struct delivery_report report = report_of(out, delivery, result);
	struct delivery after = delivery_after(delivery, result);
	enum analytic_step step;

	invariant_with(delivery->status == DELIVERY_PENDING, "only a pending delivery is attempted",
		       "status=%d", (int)delivery->status);
	step = end_attempt(settings, result, &after, out);
	if (step == ANALYTIC_RETRY)
		report.next_attempt_at_ms = after.next_attempt_at_ms;
	delivery_event_add(out, delivery, step, result->finished_at_ms, &report);
	return step == ANALYTIC_PROCESS_FAIL
		   ? tell_dead(context, &after, delivery->next_attempt_at_ms, out)
		   : 0;
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
