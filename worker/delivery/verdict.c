#include "delivery/verdict.h"

#include "base/clock.h"
#include "base/log.h"
#include "delivery/attempt_span.h"
#include "delivery/failure.h"

/* curl has no code of its own for a look-up that could not even begin, only these words (7.88
 * and 8.14). */
static bool lacked_a_thread(const struct transfer *transfer) {
	return strstr(transfer->error, "thread failed to start");
}

static enum attempt_reason reason_without_verdict(const struct transfer *transfer, CURLcode code) {
	curl_off_t first_byte_us = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	return failure_reason(&(struct failure){
	    .code = code,
	    .is_sent = transfer->sent,
	    .has_bytes = first_byte_us > 0,
	    .has_lines = transfer->response.header_lines > 0,
	    .is_excessive = transfer->response.excessive,
	    .is_refused = transfer->refused_by,
	    .is_out_of_means = transfer->out_of_sockets || lacked_a_thread(transfer),
	    .has_alert = transfer->tls.alert,
	});
}

/* The failure in an operator's words: "SSL certificate problem: certificate has expired". Owned by
 * the caller. */
static char *error_text(const struct transfer *transfer, enum attempt_reason reason,
			CURLcode code) {
	const struct tls_watch *tls = &transfer->tls;
	const char *text = transfer->error[0] ? transfer->error : curl_easy_strerror(code);

	/* curl takes a header block without an end for a whole answer. */
	if (code == CURLE_OK)
		text = "the connection ended within the headers";
	if (transfer->response.excessive)
		text = "response header beyond the limits";
	if (reason == ATTEMPT_ADDRESS_REFUSED && transfer->refused_by)
		text = transfer->refused_by;
	if (!tls->alert)
		return x_strdup(text);
	return x_asprintf("TLS alert %s %s: %s", tls_alert_name(tls->alert),
			  tls->alert_is_ours ? "sent" : "received", text);
}

/* One failure a second, of all threads, is logged as information; the others only for debugging.
 * Many dead endpoints would fill the disk otherwise. */
static enum log_level failure_log_level(struct engine_shared *shared) {
	int64_t now_us = clock_monotonic_us(), next_us = atomic_load(&shared->next_failure_log_us);

	return now_us >= next_us && atomic_compare_exchange_strong(&shared->next_failure_log_us,
								   &next_us, now_us + 1000 * 1000)
		   ? LOG_LEVEL_INFO
		   : LOG_LEVEL_DEBUG;
}

/* Why an attempt failed. The consequence for its delivery is the pipeline's, and logged there. */
static void log_failure(const struct transfer *transfer) {
	const struct job *job = transfer->claim.job;
	char webhook_id[UUID_TEXT_SIZE];

	uuid_format(&job->delivery.webhook_id, webhook_id);
	log_write(failure_log_level(transfer->shared), "attempt failed",
		  "tenant=%s webhook=%s delivery=%s host=%s reason=%s error=%s",
		  log_quote(job->delivery.tenant_id), webhook_id, transfer->delivery_id,
		  log_quote(job->route->host_key), attempt_reason_text(&job->result),
		  log_quote(job->error));
}

static void write_verdict(struct transfer *transfer, CURLcode code) {
	const struct response *response = &transfer->response;
	struct job *job = transfer->claim.job;
	int64_t duration_us = (response->status ? response->completed_us : clock_monotonic_us()) -
			      transfer->started_us;
	enum attempt_reason reason = !response->status ? reason_without_verdict(transfer, code)
				     : attempt_status_is_success(response->status) ? ATTEMPT_OK
										   : ATTEMPT_STATUS;

	job->end = JOB_ATTEMPTED;
	job->result = (struct attempt_result){
		.reason = reason,
		.status = response->status,
		.retry_after_ms = response->status ? response->retry_after_ms : -1,
		.duration_ms = duration_us / 1000,
		/* The millisecond after: the back-off counts from here, and must not be short by a
		   part of one. */
		.finished_at_ms = clock_wall_ms() + 1,
	};
	if (reason == ATTEMPT_DNS || (reason == ATTEMPT_TIMEOUT && !transfer->resolved))
		scheduler_host_resolve_failed(transfer->scheduler, transfer->claim.host);
	if (reason == ATTEMPT_OK && job->is_probe)
		scheduler_host_renew_connections(
		    transfer->claim.host, transfer->started_us,
		    transfer->shared->config->delivery_breaker_probe_interval_ms * 1000);
	engine_counters_add_attempt(&transfer->shared->counters, reason, duration_us);
	attempt_span_end(transfer, duration_us);
	if (response->status)
		return;
	job->error = error_text(transfer, reason, code);
	log_failure(transfer);
}

void verdict_end(struct transfer *transfer, CURLcode code) {
	if (transfer->withheld)
		transfer->claim.job->end = JOB_REFUSED;
	else
		write_verdict(transfer, code);
	transfer_leave(transfer);
}

void verdict_abandon(struct transfer *transfer) {
	if (transfer->response.status)
		write_verdict(transfer, CURLE_OK);
	else
		transfer->claim.job->end = JOB_REFUSED;
	transfer_leave(transfer);
}
