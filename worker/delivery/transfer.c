#include "delivery/transfer.h"

#include "base/clock.h"
#include "delivery/address_guard.h"
#include "delivery/failure.h"
#include "delivery/tls.h"

#include <errno.h>
#include <unistd.h>

enum { RECEIVE_BUFFER_BYTES = 2048, UPLOAD_BUFFER_BYTES = 16 * 1024 };

/* Short, because libcurl 7.88.1 walks all answers that it keeps at the end of each transfer; a connection that is reused needs none. */
enum { DNS_CACHE_S = 10 };

static size_t on_header(char *line, size_t size _unused_, size_t len, void *userdata) {
	struct transfer *transfer = userdata;
	long status = 0;

	if (!response_take_header(&transfer->response, line, len))
		return 0;
	if (!response_is_header_end(line, len))
		return len;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return response_end_header(&transfer->response, status, clock_monotonic_us()) ? len : 0;
}

static size_t on_body(char *bytes _unused_, size_t size _unused_, size_t len, void *userdata) {
	struct transfer *transfer = userdata;

	return response_take_body(&transfer->response, len) ? len : 0;
}

/* The address is the one that is connected to, whatever the name resolved to before: rebinding it gains nothing. */
static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose _unused_, struct curl_sockaddr *address) {
	struct transfer *transfer = userdata;
	struct shared *shared = transfer->shared;
	const char *refused_by = address_guard_refusal(&address->addr, &shared->config->endpoint_allow_networks);
	int fd;

	transfer->resolved = true;
	scheduler_reached(transfer->scheduler, transfer->claim.host);
	if (refused_by) {
		transfer->refused_by = refused_by;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
	if (fd < 0) {
		transfer->out_of_sockets = errno != EAFNOSUPPORT;
		return CURL_SOCKET_BAD;
	}
	sockets_opened(transfer->sockets, fd);
	atomic_fetch_add_explicit(&shared->counters.connections_opened, 1, memory_order_relaxed);
	return fd;
}

/*
 * Called immediately before the request is sent; also for a connection that was kept, for which no socket is opened. Connecting may have taken
 * long, and the process may have been stopped meanwhile.
 */
static int on_connected(void *userdata, char *to _unused_, char *from _unused_, int to_port _unused_, int from_port _unused_) {
	struct transfer *transfer = userdata;

	transfer->resolved = true;
	scheduler_reached(transfer->scheduler, transfer->claim.host);
	transfer->withheld = !shared_gate_admits(transfer->shared, transfer->claim.job) || !shared_lease_holds(transfer->shared);
	return transfer->withheld ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* A connection outlives the transfer that opened it, so what closing needs belongs to the thread. */
static int on_close_socket(void *userdata, curl_socket_t fd) {
	struct sockets *sockets = userdata;

	sockets_closing(sockets, fd);
	return close(fd);
}

/* Setting an option fails only for want of memory, or on a libcurl that is not the one we were built for. */
static void check_set(CURLcode code) {
	if (code == CURLE_OK)
		return;
	log_error("curl refused an option", "error=%s", log_quote(curl_easy_strerror(code)));
	abort();
}

#define SET(transfer, option, value) check_set(curl_easy_setopt((transfer)->easy, option, value))

/* Once for the handle's life. What changes from attempt to attempt is set in transfer_begin, and nothing needs a reset. */
static void set_limits(struct transfer *transfer, const struct config *config) {
	SET(transfer, CURLOPT_NOSIGNAL, 1L);
	SET(transfer, CURLOPT_CONNECTTIMEOUT_MS, (long)config->delivery_connect_timeout_ms);
	SET(transfer, CURLOPT_TIMEOUT_MS, (long)config->delivery_timeout_ms);
	SET(transfer, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
	SET(transfer, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
	SET(transfer, CURLOPT_TCP_NODELAY, 1L);
	SET(transfer, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
	/* A resolver thread that still waits when its transfer ends is left to itself; else the whole delivery thread waited for
	 * it. */
	SET(transfer, CURLOPT_QUICK_EXIT, 1L);
}

static void set_policy(struct transfer *transfer, const struct config *config) {
	struct shared *shared = transfer->shared;

	SET(transfer, CURLOPT_PROTOCOLS_STR, config->endpoint_allow_http ? "http,https" : "https");
	SET(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(transfer, CURLOPT_FOLLOWLOCATION, 0L);
	SET(transfer, CURLOPT_PROXY, "");
	SET(transfer, CURLOPT_NOPROXY, "*");
	SET(transfer, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(transfer, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(transfer, CURLOPT_SSL_VERIFYHOST, 2L);
	/* curl would read and keep the authorities anew for each shard, 20 ms of work and 0.8 MB for each. */
	SET(transfer, CURLOPT_CAPATH, NULL);
	SET(transfer, CURLOPT_CAINFO, NULL);
	SET(transfer, CURLOPT_SSL_CTX_FUNCTION, tls_on_context);
	SET(transfer, CURLOPT_SSL_CTX_DATA, shared->authorities);
}

static void set_callbacks(struct transfer *transfer) {
	SET(transfer, CURLOPT_PRIVATE, transfer);
	SET(transfer, CURLOPT_ERRORBUFFER, transfer->error);
	SET(transfer, CURLOPT_HEADERFUNCTION, on_header);
	SET(transfer, CURLOPT_HEADERDATA, transfer);
	SET(transfer, CURLOPT_WRITEFUNCTION, on_body);
	SET(transfer, CURLOPT_WRITEDATA, transfer);
	SET(transfer, CURLOPT_PREREQFUNCTION, on_connected);
	SET(transfer, CURLOPT_PREREQDATA, transfer);
	SET(transfer, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(transfer, CURLOPT_OPENSOCKETDATA, transfer);
	SET(transfer, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	SET(transfer, CURLOPT_CLOSESOCKETDATA, transfer->sockets);
}

struct transfer *transfer_new(struct shared *shared, struct sockets *sockets, struct scheduler *scheduler) {
	struct transfer *transfer = x_calloc(1, sizeof(*transfer));

	transfer->shared = shared;
	transfer->sockets = sockets;
	transfer->scheduler = scheduler;
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		abort();
	callback_headers_init(&transfer->signed_headers);
	set_limits(transfer, shared->config);
	set_policy(transfer, shared->config);
	set_callbacks(transfer);
	return transfer;
}

void transfer_free(struct transfer *transfer) {
	if (!transfer)
		return;
	curl_easy_cleanup(transfer->easy);
	callback_headers_destroy(&transfer->signed_headers);
	free(transfer);
}

static void sign(struct transfer *transfer) {
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
	callback_sign(&transfer->signed_headers, job->route->signer, transfer->shared->config->signature_formats, &callback);
}

/* Anything else in a command's Kafka header is not passed on: it would be written into a request. Source: W3C Trace Context
 * section 3.2. */
static bool is_traceparent(const char *text) {
	return text && strlen(text) == TRACEPARENT_LEN && strspn(text, "0123456789abcdef-") == TRACEPARENT_LEN;
}

static void add_line(struct transfer *transfer, size_t *count, const char *line) {
	struct curl_slist *node = &transfer->lines[*count];

	/* curl reads the text only; its list is not const because it usually owns it. */
	*node = (struct curl_slist){ .data = (char *)(uintptr_t)line };
	if (*count)
		node[-1].next = node;
	(*count)++;
}

static void list_lines(struct transfer *transfer) {
	const char *traceparent = transfer->claim.job->delivery.traceparent;
	size_t count = 0;

	add_line(transfer, &count, "content-type: application/json");
	add_line(transfer, &count, transfer->shared->user_agent);
	add_line(transfer, &count, "Expect:"); /* removes it: a callback's body does not wait for a "100 Continue" */
	for (size_t i = 0; i < transfer->signed_headers.count; i++)
		add_line(transfer, &count, transfer->signed_headers.lines[i]);
	if (!is_traceparent(traceparent))
		return;
	stpcpy(stpcpy(transfer->traceparent, "traceparent: "), traceparent);
	add_line(transfer, &count, transfer->traceparent);
}

bool transfer_begin(struct transfer *transfer, const struct claim *claim, struct shard *shard) {
	const struct job *job = claim->job;

	transfer->claim = *claim;
	transfer->shard = shard;
	transfer->response = RESPONSE_INIT;
	transfer->refused_by = NULL;
	transfer->error[0] = '\0';
	transfer->out_of_sockets = transfer->withheld = transfer->resolved = false;
	transfer->started_us = clock_monotonic_us();
	sign(transfer);
	list_lines(transfer);
	SET(transfer, CURLOPT_SHARE, shard->sessions);
	SET(transfer, CURLOPT_CURLU, job->route->location);
	SET(transfer, CURLOPT_HTTPHEADER, transfer->lines);
	SET(transfer, CURLOPT_POSTFIELDS, job->delivery.body);
	SET(transfer, CURLOPT_POSTFIELDSIZE, (long)job->delivery.body_len);
	return curl_multi_add_handle(shard->multi, transfer->easy) == CURLM_OK;
}

static enum attempt_reason reason_without_verdict(const struct transfer *transfer, CURLcode code) {
	curl_off_t first_byte_us = 0;

	if (transfer->response.excessive)
		return ATTEMPT_PROTOCOL;
	if (code == CURLE_COULDNT_CONNECT && transfer->refused_by)
		return ATTEMPT_ADDRESS_REFUSED;
	if (code == CURLE_COULDNT_CONNECT && transfer->out_of_sockets)
		return ATTEMPT_INTERNAL;
	curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	/* A scheme that the configuration does not allow (any more) ends here before anything is sent. */
	if (code == CURLE_UNSUPPORTED_PROTOCOL && !first_byte_us)
		return ATTEMPT_ADDRESS_REFUSED;
	return failure_reason(code, first_byte_us > 0);
}

static void observe(struct shared *shared, enum attempt_reason reason, int64_t duration_us) {
	size_t bucket = 0;

	while (bucket < ENGINE_BUCKET_COUNT && (double)duration_us > engine_bucket_seconds[bucket] * 1e6)
		bucket++;
	atomic_fetch_add_explicit(&shared->histogram[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&shared->duration_sum_us, (uint64_t)duration_us, memory_order_relaxed);
	atomic_fetch_add_explicit(&shared->counters.attempts[reason], 1, memory_order_relaxed);
}

/* In words, for an operator: "SSL certificate problem: certificate has expired". */
static const char *error_text(const struct transfer *transfer, CURLcode code) {
	if (transfer->response.excessive)
		return "response header beyond the limits";
	if (transfer->refused_by)
		return transfer->refused_by;
	return transfer->error[0] ? transfer->error : curl_easy_strerror(code);
}

/* One failure a second, of all threads, is for everybody; a world of dead endpoints would fill the disk otherwise. */
static enum log_level failure_log_level(struct shared *shared) {
	int64_t now_us = clock_monotonic_us(), quiet_until_us = atomic_load(&shared->quiet_until_us);

	return now_us >= quiet_until_us && atomic_compare_exchange_strong(&shared->quiet_until_us, &quiet_until_us, now_us + 1000 * 1000)
		       ? LOG_LEVEL_INFO
		       : LOG_LEVEL_DEBUG;
}

/* For whoever wonders why an endpoint is not reached; the pipeline logs what becomes of it. */
static void log_failure(const struct transfer *transfer) {
	const struct job *job = transfer->claim.job;
	char webhook_id[UUID_TEXT_SIZE];

	uuid_format(&job->delivery.webhook_id, webhook_id);
	log_write(failure_log_level(transfer->shared), "attempt failed", "tenant=%s webhook=%s delivery=%s host=%s reason=%s error=%s",
		  log_quote(job->delivery.tenant_id), webhook_id, transfer->delivery_id, log_quote(job->route->host_key),
		  attempt_reason_text(&job->result), log_quote(job->error));
}

static void write_result(struct transfer *transfer, CURLcode code) {
	const struct response *response = &transfer->response;
	struct job *job = transfer->claim.job;
	int64_t duration_us = (response->status ? response->completed_us : clock_monotonic_us()) - transfer->started_us;
	enum attempt_reason reason = !response->status                             ? reason_without_verdict(transfer, code)
				     : attempt_status_is_success(response->status) ? ATTEMPT_OK
										   : ATTEMPT_STATUS;

	job->end = JOB_ATTEMPTED;
	job->result = (struct attempt_result){
		.reason = reason,
		.status = response->status,
		.retry_after_ms = response->status ? response->retry_after_ms : -1,
		.duration_ms = duration_us / 1000,
		/* The millisecond after: the back-off counts from here, and must not be short by a part of one. */
		.finished_at_ms = clock_wall_ms() + 1,
	};
	if (reason == ATTEMPT_DNS || (reason == ATTEMPT_TIMEOUT && !transfer->resolved))
		scheduler_lost(transfer->scheduler, transfer->claim.host);
	observe(transfer->shared, reason, duration_us);
	if (response->status)
		return;
	job->error = x_strdup(error_text(transfer, code));
	log_failure(transfer);
}

void transfer_end(struct transfer *transfer, CURLcode code) {
	if (transfer->withheld)
		transfer->claim.job->end = JOB_REFUSED;
	else
		write_result(transfer, code);
	curl_multi_remove_handle(transfer->shard->multi, transfer->easy);
}

void transfer_abandon(struct transfer *transfer) {
	if (transfer->response.status)
		write_result(transfer, CURLE_OK);
	else
		transfer->claim.job->end = JOB_REFUSED;
	curl_multi_remove_handle(transfer->shard->multi, transfer->easy);
}
