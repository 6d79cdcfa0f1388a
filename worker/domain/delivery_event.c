#include "domain/delivery_event.h"

#include "domain/delivery_subject.h"
#include "domain/id.h"

struct delivery_report delivery_event_report(struct arena *arena, const struct delivery *delivery) {
	return (struct delivery_report){
		.delivery_id = delivery->id,
		.webhook_id = delivery->webhook_id,
		.event_type = delivery->event_type,
		.duration_ms = -1,
		.has_event_id = true,
		.event_id = delivery->event_id,
		.subject = delivery_subject(arena, delivery),
	};
}

void delivery_event_add(struct effects *out, const struct delivery *delivery,
			enum analytic_step step, int64_t timestamp_ms,
			const struct delivery_report *report) {
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
			       .tracestate = delivery->tracestate,
			       .status = report->status,
			       .data = { .kind = EVENT_DATA_DELIVERY, .delivery = *report },
			   });
}
