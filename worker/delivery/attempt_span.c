#include "delivery/attempt_span.h"

#include "base/clock.h"
#include "trace/trace.h"

/* Only this form is written into a request. Source: W3C Trace Context section 3.2. */
static bool is_traceparent(const char *text) {
	return text && strlen(text) == TRACEPARENT_LEN &&
	       strspn(text, "0123456789abcdef-") == TRACEPARENT_LEN;
}

void attempt_span_begin(struct transfer *transfer) {
	const char *traceparent = transfer->claim.job->delivery.traceparent;

	transfer->span.id[0] = '\0';
	if (!is_traceparent(traceparent))
		return;
	buffer_append_string(&transfer->lines, "\r\ntraceparent: ");
	if (!trace_wants(traceparent)) {
		buffer_append_string(&transfer->lines, traceparent);
		return;
	}
	transfer->span = traceparent_ref(traceparent);
	transfer->span = span_ref_beside(&transfer->span);
	traceparent_append(&transfer->lines, &transfer->span);
}

/* A url's path may hold a secret, so the host alone names the endpoint. */
static void add_attributes(struct span *span, const struct transfer *transfer,
			   const char *webhook_id) {
	const struct job *job = transfer->claim.job;
	const char *reason = attempt_reason_text(&job->result);

	span_text(span, "http.request.method", "POST");
	span_text(span, "server.address", job->route->parts.host);
	span_number(span, "server.port", job->route->parts.port);
	if (job->result.status)
		span_number(span, "http.response.status_code", job->result.status);
	span_text(span, "error.type", reason);
	span_number(span, "posthorn.attempt", job->delivery.attempts + 1);
	span_text(span, "posthorn.tenant", job->delivery.tenant_id);
	span_text(span, "posthorn.webhook", webhook_id);
	span_text(span, "posthorn.delivery", transfer->delivery_id);
	span->error = reason;
}

void attempt_span_end(const struct transfer *transfer, int64_t duration_us) {
	const struct delivery *delivery = &transfer->claim.job->delivery;
	int64_t now_us = clock_wall_ms() * 1000;
	struct span span = { .ref = transfer->span,
			     .name = "POST",
			     .kind = SPAN_CLIENT,
			     .started_us = now_us - duration_us,
			     .ended_us = now_us };
	struct span_ref parent;
	char webhook_id[UUID_TEXT_SIZE];

	if (!transfer->span.id[0])
		return;
	parent =
	    span_ref_of_command(delivery->traceparent, delivery->tenant_id, delivery->command_id);
	span.parent_id = parent.id;
	uuid_format(&delivery->webhook_id, webhook_id);
	add_attributes(&span, transfer, webhook_id);
	trace_add(&span);
}
