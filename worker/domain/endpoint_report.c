#include "domain/endpoint_report.h"

#include "domain/id.h"

#include <string.h>

static void disable(struct webhook *webhook, int64_t now_ms, struct effects *out) {
	struct uuid id = id_of_webhook_disabled(webhook);

	webhook->disabled = true;
	webhook->failing_since_ms = 0;
	webhook->updated_at_ms = now_ms;
	effects_put(out, &(struct state_record){ .kind = STATE_WEBHOOK, .webhook = *webhook });
	effects_event(out, &(struct analytic_event){
			       .id = id,
			       .subject = ANALYTIC_WEBHOOK_DISABLED,
			       .step = ANALYTIC_STEP_NONE,
			       .timestamp_ms = now_ms,
			       .tenant_id = webhook->tenant_id,
			       .data = { .kind = EVENT_DATA_WEBHOOK, .webhook = *webhook },
			   });
}

static bool is_over(const struct outcome_settings *settings, const struct endpoint_report *report,
		    int64_t now_ms) {
	return report->is_gone ||
	       (report->failing_since_ms > 0 &&
		now_ms - report->failing_since_ms >= settings->endpoint_disable_after_ms);
}

void handle_endpoint_report(const struct outcome_settings *settings, const struct webhook *webhook,
			    const struct endpoint_report *report, int64_t now_ms,
			    struct effects *out) {
	struct webhook changed = *webhook;

	if (webhook->disabled || strcmp(webhook->url, report->url) != 0)
		return;
	if (is_over(settings, report, now_ms)) {
		disable(&changed, now_ms, out);
	} else if (webhook->failing_since_ms != report->failing_since_ms) {
		changed.failing_since_ms = report->failing_since_ms;
		effects_put(out,
			    &(struct state_record){ .kind = STATE_WEBHOOK, .webhook = changed });
	}
}
