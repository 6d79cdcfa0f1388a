#include "domain/resending.h"

#include "domain/delivery_event.h"

/* One without an attempt is due, whatever its record says (R10). */
static bool is_due(const struct delivery *delivery, int64_t now_ms) {
	return delivery->status == DELIVERY_PENDING &&
	       (delivery->attempts == 0 || delivery->next_attempt_at_ms <= now_ms);
}

void resend_delivery(struct effects *out, const struct delivery *delivery, int64_t now_ms) {
	struct state_record record = { .kind = STATE_DELIVERY, .delivery = *delivery };
	struct delivery_report report = delivery_event_report(out->arena, delivery);

	if (is_due(delivery, now_ms)) {
		effects_put(out, &record); /* as it is: so the dispatcher hears of it */
		return;
	}
	if (delivery->status != DELIVERY_PENDING) {
		record.delivery.status = DELIVERY_PENDING;
		record.delivery.attempts = 0;
		record.delivery.last_status = 0;
		record.delivery.last_reason = NULL;
	}
	record.delivery.next_attempt_at_ms = now_ms;
	effects_put(out, &record);
	report.attempt = record.delivery.attempts;
	report.status = record.delivery.last_status;
	report.reason = record.delivery.last_reason;
	report.next_attempt_at_ms = now_ms;
	delivery_event_add(out, delivery, ANALYTIC_RESEND, now_ms, &report);
}
