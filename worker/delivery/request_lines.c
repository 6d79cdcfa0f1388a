#include "delivery/request_lines.h"

#include "base/clock.h"
#include "delivery/attempt_span.h"
#include "signature/callback.h"

#include <sodium.h>

static void sign_callback(struct buffer *lines, const struct job *job,
			  const struct engine_shared *shared) {
	const struct url_parts *parts = &job->route->parts;
	char delivery_id[UUID_TEXT_SIZE];
	struct callback callback = {
		.authority = parts->authority,
		.path = parts->path,
		.query = parts->query,
		.content_type = "application/json",
		.delivery_id = delivery_id,
		.timestamp_s = clock_wall_ms() / 1000,
		.body = job->delivery.body,
		.body_len = job->delivery.body_len,
	};

	uuid_format(&job->delivery.id, delivery_id);
	callback_profile_lend_keys(job->route->profile, &callback);
	callback_sign(
	    lines, job->route->signer,
	    callback_profile_formats(job->route->profile, shared->config->signature_formats),
	    &callback);
}

/* What a receiver may route by before it parses the body. */
static void append_names(struct buffer *lines, const struct delivery *delivery) {
	char webhook_id[UUID_TEXT_SIZE];

	uuid_format(&delivery->webhook_id, webhook_id);
	buffer_append_string(lines, "\r\nposthorn-event-type: ");
	buffer_append_string(lines, delivery->event_type);
	buffer_append_string(lines, "\r\nposthorn-webhook-id: ");
	buffer_append_string(lines, webhook_id);
}

void request_lines_write(struct buffer *lines, const struct job *job,
			 const struct engine_shared *shared, struct span_ref *span) {
	callback_lines_clear(lines);
	buffer_append_string(lines, "content-type: application/json\r\n");
	buffer_append_string(lines, shared->user_agent);
	sign_callback(lines, job, shared);
	append_names(lines, &job->delivery);
	attempt_span_begin(job, span, lines);
	callback_profile_append_headers(job->route->profile, lines);
}

void request_lines_wipe(struct buffer *lines, const struct job *job) {
	if (job->route->profile)
		sodium_memzero(lines->data, lines->len);
}
