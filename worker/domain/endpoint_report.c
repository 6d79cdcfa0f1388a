#include "domain/endpoint_report.h"

#include "domain/id.h"

#include <string.h>

static bool has_failed_for(const struct endpoint_report *report, int64_t now_ms, int64_t ms) {
	return report->failing_since_ms > 0 && now_ms - report->failing_since_ms >= ms;
}

static struct notice notice_of(const struct notice_context *context, enum event_type_builtin type,
			       const struct webhook *webhook,
			       const struct endpoint_report *report) {
	return (struct notice){
		.type = type,
		.webhook = webhook,
		.at_ms = context->now_ms,
		.moment_ms = report->failing_since_ms,
		.failing_since_ms = report->failing_since_ms,
		.last_status = report->last_status,
		.last_reason = report->last_reason,
	};
}

static int disable(const struct notice_context *context, struct webhook *webhook,
		   const struct endpoint_report *report, struct effects *out) {
	struct notice notice = notice_of(context, BUILTIN_WEBHOOK_DISABLED, webhook, report);
	struct uuid id = id_of_webhook_disabled(webhook);

	notice.moment_ms = webhook->updated_at_ms;
	notice.reason = report->is_gone ? "gone" : "failing";
	webhook->disabled = true;
	webhook->failing_since_ms = 0;
	webhook->told.failing_since_ms = 0;
	webhook->updated_at_ms = context->now_ms;
	effects_event(out, &(struct analytic_event){
			       .id = id,
			       .subject = ANALYTIC_WEBHOOK_DISABLED,
			       .step = ANALYTIC_STEP_NONE,
			       .timestamp_ms = context->now_ms,
			       .tenant_id = webhook->tenant_id,
			       .data = { .kind = EVENT_DATA_WEBHOOK, .webhook = *webhook },
			   });
	return notice_tell_hourly(context, &notice, &webhook->told.disabled_at_ms, out);
}

/* Once while it fails, and an hour after the last word on its health: so the end of it may be told
 * at any time. What cannot be told now is reported again. */
static int tell_failing(const struct notice_context *context, struct webhook *webhook,
			const struct endpoint_report *report, struct effects *out) {
	struct notice notice = notice_of(context, BUILTIN_WEBHOOK_FAILING, webhook, report);
	int r;

	if (webhook->told.failing_since_ms || notice_is_recent(context, webhook->told.health_at_ms))
		return 0;
	r = notice_tell(context, &notice, out);
	if (r == 0) {
		webhook->told.failing_since_ms = report->failing_since_ms;
		webhook->told.health_at_ms = context->now_ms;
	}
	return MIN(r, 0);
}

static int tell_recovered(const struct notice_context *context, struct webhook *webhook,
			  const struct endpoint_report *report, struct effects *out) {
	struct notice notice = notice_of(context, BUILTIN_WEBHOOK_RECOVERED, webhook, report);
	int r;

	if (!webhook->told.failing_since_ms || !report->has_succeeded)
		return 0;
	notice.moment_ms = notice.failing_since_ms = webhook->told.failing_since_ms;
	notice.last_status = 0;
	r = notice_tell(context, &notice, out);
	if (r == 0)
		webhook->told.health_at_ms = context->now_ms;
	if (r == 0 || r == NOTICE_E_NOBODY)
		webhook->told.failing_since_ms = 0;
	return MIN(r, 0);
}

/* Whether it fails, and WebhookFailing waits for the hour to be over. */
static bool is_put_off(const struct outcome_settings *settings,
		       const struct notice_context *context, const struct webhook *webhook) {
	return webhook->failing_since_ms && !webhook->told.failing_since_ms &&
	       context->now_ms - webhook->failing_since_ms >=
		   settings->endpoint_failing_notify_after_ms &&
	       notice_is_recent(context, webhook->told.health_at_ms);
}

static int note_health(const struct outcome_settings *settings,
		       const struct notice_context *context, struct webhook *webhook,
		       const struct endpoint_report *report, struct effects *out) {
	if (!report->failing_since_ms && is_put_off(settings, context, webhook))
		notice_leave_out(out, BUILTIN_WEBHOOK_FAILING);
	webhook->failing_since_ms = report->failing_since_ms;
	if (has_failed_for(report, context->now_ms, settings->endpoint_failing_notify_after_ms))
		return tell_failing(context, webhook, report, out);
	return report->failing_since_ms ? 0 : tell_recovered(context, webhook, report, out);
}

static bool is_changed(const struct webhook *before, const struct webhook *after) {
	return after->disabled || after->failing_since_ms != before->failing_since_ms ||
	       after->told.failing_since_ms != before->told.failing_since_ms;
}

int handle_endpoint_report(const struct outcome_settings *settings,
			   const struct notice_context *context, const struct webhook *webhook,
			   const struct endpoint_report *report, struct effects *out) {
	struct webhook changed = *webhook;
	int r;

	if (webhook->disabled || strcmp(webhook->url, report->url) != 0)
		return 0;
	if (report->is_gone ||
	    has_failed_for(report, context->now_ms, settings->endpoint_disable_after_ms))
		r = disable(context, &changed, report, out);
	else
		r = note_health(settings, context, &changed, report, out);
	if (r == 0 && is_changed(webhook, &changed))
		effects_put(out,
			    &(struct state_record){ .kind = STATE_WEBHOOK, .webhook = changed });
	return r;
}
