#include "delivery/request_lines.h"

#include "base/clock.h"

#include <sodium.h>

enum { TRACEPARENT_LEN = 55 };

static void sign_callback(struct transfer *transfer) {
	const struct job *job = transfer->claim.job;
	const struct url_parts *parts = &job->route->parts;
	struct callback callback = {
		.authority = parts->authority,
		.path = parts->path,
		.query = parts->query,
		.content_type = "application/json",
		.delivery_id = transfer->delivery_id,
		.timestamp_s = clock_wall_ms() / 1000,
		.body = job->delivery.body,
		.body_len = job->delivery.body_len,
	};

	uuid_format(&job->delivery.id, transfer->delivery_id);
	callback_profile_lend_keys(job->route->profile, &callback);
	callback_sign(&transfer->lines, job->route->signer,
		      callback_profile_formats(job->route->profile,
					       transfer->shared->config->signature_formats),
		      &callback);
}

/* Only this form is written into a request; a command's Kafka header may hold anything. Source: W3C
 * Trace Context section 3.2. */
static bool is_traceparent(const char *text) {
	return text && strlen(text) == TRACEPARENT_LEN &&
	       strspn(text, "0123456789abcdef-") == TRACEPARENT_LEN;
}

/* What a receiver may route by before it parses the body. */
static void append_names(struct transfer *transfer) {
	const struct delivery *delivery = &transfer->claim.job->delivery;
	char webhook_id[UUID_TEXT_SIZE];

	uuid_format(&delivery->webhook_id, webhook_id);
	buffer_append_string(&transfer->lines, "\r\nposthorn-event-type: ");
	buffer_append_string(&transfer->lines, delivery->event_type);
	buffer_append_string(&transfer->lines, "\r\nposthorn-webhook-id: ");
	buffer_append_string(&transfer->lines, webhook_id);
}

void request_lines_write(struct transfer *transfer) {
	const char *traceparent = transfer->claim.job->delivery.traceparent;

	callback_lines_clear(&transfer->lines);
	buffer_append_string(&transfer->lines, "content-type: application/json\r\n");
	buffer_append_string(&transfer->lines, transfer->shared->user_agent);
	sign_callback(transfer);
	append_names(transfer);
	if (is_traceparent(traceparent)) {
		buffer_append_string(&transfer->lines, "\r\ntraceparent: ");
		buffer_append_string(&transfer->lines, traceparent);
	}
	callback_profile_append_headers(transfer->claim.job->route->profile, &transfer->lines);
	transfer->header.data = transfer->lines.data;
}

void request_lines_wipe(struct transfer *transfer) {
	if (transfer->claim.job->route->profile)
		sodium_memzero(transfer->lines.data, transfer->lines.len);
}
