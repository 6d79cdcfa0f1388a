#include "delivery/attempt_span.h"

#include "base/clock.h"
#include "trace/trace.h"

static void append_lines(struct buffer *lines, const struct delivery *delivery,
			 const struct span_ref *span) {
	buffer_append_string(lines, "\r\ntraceparent: ");
	if (span->id[0])
		traceparent_append(lines, span);
	else
		buffer_append_string(lines, delivery->traceparent);
	if (!delivery->tracestate || strpbrk(delivery->tracestate, "\r\n"))
		return;
	buffer_append_string(lines, "\r\ntracestate: ");
	buffer_append_string(lines, delivery->tracestate);
}

void attempt_span_begin(const struct job *job, struct span_ref *span, struct buffer *lines) {
	const char *traceparent = job->delivery.traceparent;

	*span = (struct span_ref){ 0 };
	if (!traceparent || !traceparent_is_valid(traceparent, strlen(traceparent)))
		return;
	if (trace_wants(traceparent)) {
		*span = traceparent_ref(traceparent);
		*span = span_ref_beside(span);
	}
	append_lines(lines, &job->delivery, span);
}

/* A url's path may hold a secret, so the host alone names the endpoint. */
static void add_attributes(struct span *span, const struct job *job, const char *webhook_id,
			   const char *delivery_id) {
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
	span_text(span, "posthorn.delivery", delivery_id);
	span->error = reason;
}

void attempt_span_end(const struct job *job, const struct span_ref *ref, int64_t duration_us) {
	const struct delivery *delivery = &job->delivery;
	int64_t now_us = clock_wall_ms() * 1000;
	struct span span = { .ref = *ref,
			     .trace_state = delivery->tracestate,
			     .name = "POST",
			     .kind = SPAN_CLIENT,
			     .started_us = now_us - duration_us,
			     .ended_us = now_us };
	struct span_ref parent;
	char webhook_id[UUID_TEXT_SIZE], delivery_id[UUID_TEXT_SIZE];

	if (!ref->id[0])
		return;
	parent =
	    span_ref_of_command(delivery->traceparent, delivery->tenant_id, delivery->command_id);
	span.parent_id = parent.id;
	uuid_format(&delivery->webhook_id, webhook_id);
	uuid_format(&delivery->id, delivery_id);
	add_attributes(&span, job, webhook_id, delivery_id);
	trace_add(&span);
}
