#include "delivery/verdict.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/packed_text.h"
#include "delivery/attempt_span.h"
#include "delivery/failure.h"

/* curl has no code of its own for a look-up that could not even begin, only these words (7.88
 * and 8.14). */
static bool lacked_a_thread(const struct transfer *transfer) {
	return strstr(transfer->error, "thread failed to start");
}

static bool is_http(const struct transfer *transfer) {
	return strcmp(transfer->claim.job->route->parts.scheme, "http") == 0;
}

/* Of an http request the proxy itself asks for a login, and no endpoint. Source: RFC 9110
 * section 15.5.8. */
static bool is_refused_by_proxy(const struct transfer *transfer) {
	const struct job *job = transfer->claim.job;

	return transfer->response.status == 407 && job->by_proxy && is_http(transfer);
}

static enum attempt_reason reason_without_verdict(const struct transfer *transfer, CURLcode code) {
	curl_off_t first_byte_us = 0;
	long connections = 0, tunnel_status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
	curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel_status);
	return failure_reason(&(struct failure){
	    .code = code,
	    .is_sent = transfer->sent,
	    .has_bytes = first_byte_us > 0,
	    .has_lines = transfer->response.header_lines > 0,
	    .is_excessive = transfer->response.excessive,
	    .is_refused = transfer->refused_by,
	    .is_out_of_means = transfer->out_of_sockets || lacked_a_thread(transfer),
	    .has_alert = transfer->tls.alert,
	    .by_proxy = transfer->claim.job->by_proxy,
	    .has_reached_proxy = connections > 0 || transfer->sent,
	    .tunnel_status = tunnel_status,
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
	if (transfer->response.status)
		text = "the proxy asks for a login (407)";
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
	char webhook_id[UUID_TEXT_SIZE], delivery_id[UUID_TEXT_SIZE];

	uuid_format(&job->delivery.webhook_id, webhook_id);
	uuid_format(&job->delivery.id, delivery_id);
	log_write(failure_log_level(transfer->shared), "attempt failed",
		  "tenant=%s webhook=%s delivery=%s host=%s reason=%s error=%s",
		  log_quote(job->delivery.tenant_id), webhook_id, delivery_id,
		  log_quote(job->route->host_key), attempt_reason_text(&job->result),
		  log_quote(job->error));
}

static enum attempt_reason reason_of(const struct transfer *transfer, CURLcode code) {
	int32_t status = transfer->response.status;

	if (!status)
		return reason_without_verdict(transfer, code);
	if (is_refused_by_proxy(transfer))
		return ATTEMPT_PROXY_REFUSED;
	return attempt_status_is_success(status) ? ATTEMPT_OK : ATTEMPT_STATUS;
}

/* What the end of the attempt tells of its host and of the proxy. */
static void spread_news(struct transfer *transfer) {
	struct engine_shared *shared = transfer->shared;
	const struct job *job = transfer->claim.job;
	enum attempt_reason reason = job->result.reason;

	if (reason == ATTEMPT_DNS || (reason == ATTEMPT_TIMEOUT && !transfer->resolved))
		scheduler_host_resolve_failed(transfer->scheduler, transfer->claim.host);
	if (reason == ATTEMPT_OK && job->is_probe)
		scheduler_host_renew_connections(
		    transfer->claim.host, transfer->started_us,
		    shared->config->delivery_breaker_probe_interval_ms * 1000);
	if (job->by_proxy)
		proxy_end_attempt(&shared->proxy, reason, job->error);
}

/* Copies texts into one allocation, which the caller owns. */
static struct attempt_response *response_new(const struct attempt_response *borrowed) {
	struct attempt_response *response =
	    x_malloc(sizeof(*response) + packed_text_size(borrowed->body) +
		     packed_text_size(borrowed->address));
	char *end = (char *)(response + 1);

	*response = *borrowed;
	response->body = packed_text_add(&end, borrowed->body);
	response->address = packed_text_add(&end, borrowed->address);
	return response;
}

/* The answer to an http request through a proxy may be the proxy's own, which is none of the
 * tenant's business; so is the proxy's address. */
static struct attempt_response *read_response(const struct transfer *transfer) {
	bool by_proxy = transfer->claim.job->by_proxy, has_body = !by_proxy || !is_http(transfer);
	_cleanup_(x_freep) char *body = has_body ? response_excerpt(&transfer->response) : NULL;
	char *address = NULL;
	long version = 0;

	if (!by_proxy)
		curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address);
	if (transfer->response.status)
		curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
	return response_new(&(struct attempt_response){
	    .body = body,
	    .address = address && *address ? address : NULL,
	    .http_version = version == CURL_HTTP_VERSION_1_0   ? "1.0"
			    : version == CURL_HTTP_VERSION_1_1 ? "1.1"
							       : NULL,
	    .tls_version = transfer->tls_version,
	});
}

/* Of a failed attempt that reached an endpoint. */
static void keep_response(const struct transfer *transfer, struct job *job) {
	curl_off_t connected_us = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
	if (job->result.reason == ATTEMPT_OK || !attempt_is_of_endpoint(&job->result) ||
	    (!transfer->sent && connected_us == 0))
		return;
	job->response = read_response(transfer);
	job->result.response = job->response;
}

static void write_verdict(struct transfer *transfer, CURLcode code) {
	const struct response *response = &transfer->response;
	struct job *job = transfer->claim.job;
	int64_t now_us = clock_monotonic_us(), now_ms = clock_wall_ms();
	int64_t duration_us =
	    (response->status ? response->completed_us : now_us) - transfer->started_us;
	enum attempt_reason reason = reason_of(transfer, code);
	bool is_answered = reason == ATTEMPT_OK || reason == ATTEMPT_STATUS;

	job->end = JOB_ATTEMPTED;
	job->result = (struct attempt_result){
		.reason = reason,
		.status = is_answered ? response->status : 0,
		.retry_after_ms = is_answered ? response->retry_after_ms : -1,
		.duration_ms = duration_us / 1000,
		.started_at_ms = now_ms - (now_us - transfer->started_us) / 1000,
		/* The millisecond after: the back-off counts from here, and must not be short by a
		   part of one. */
		.finished_at_ms = now_ms + 1,
	};
	keep_response(transfer, job);
	engine_counters_add_attempt(&transfer->shared->counters, reason, duration_us);
	attempt_span_end(job, &transfer->span, duration_us);
	if (!is_answered)
		job->error = error_text(transfer, reason, code);
	if (reason != ATTEMPT_OK)
		log_failure(transfer);
	spread_news(transfer);
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
