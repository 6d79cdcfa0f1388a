#include "delivery/transfer.h"

#include "base/clock.h"
#include "delivery/address_guard.h"
#include "delivery/easy.h"
#include "delivery/request_lines.h"

#include <errno.h>
#include <unistd.h>

enum { RECEIVE_BUFFER_BYTES = 2048, UPLOAD_BUFFER_BYTES = 16 * 1024 };

/* Short, because libcurl 7.88.1 walks its whole DNS cache at the end of each transfer. A connection
 * that is reused needs no entry. */
enum { DNS_CACHE_S = 10 };

/* A probe resolves its name again; many probes to one host still share an answer. */
enum { PROBE_DNS_CACHE_S = 1 };

enum { SECOND_US = 1000 * 1000, TRUST_SETTLES_US = 3 * SECOND_US };

#define SET(transfer, option, value) EASY_SET((transfer)->easy, option, value)

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

static size_t on_body(char *bytes, size_t size _unused_, size_t len, void *userdata) {
	struct transfer *transfer = userdata;

	return response_take_body(&transfer->response, bytes, len) ? len : 0;
}

/* The reason for which the guard refuses an address that is about to be connected to, as static
 * text. The proxy's own may be any. */
static const char *refusal_of(const struct transfer *transfer, const struct sockaddr *address) {
	return transfer->claim.job->by_proxy
		   ? NULL
		   : address_guard_refusal(address,
					   &transfer->shared->config->endpoint_allow_networks);
}

/*
 * The guard judges the very address that is connected to, so that a name which is rebound between
 * look-up and connect gains nothing.
 *
 * Where a kept connection ended without an answer, libcurl sends the request again by itself in
 * some cases, with its timers restarted, and at most 5 times in the life of the handle
 * (Curl_retry_request of 7.88 and 8.14). That is stopped here: transfer_repeat handles all cases.
 */
static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose _unused_,
				    struct curl_sockaddr *address) {
	struct transfer *transfer = userdata;
	struct engine_shared *shared = transfer->shared;
	const char *refused_by = refusal_of(transfer, &address->addr);
	int fd;

	if (transfer->sent) {
		transfer->unanswered = true;
		return CURL_SOCKET_BAD;
	}
	transfer->resolved = transfer->connects = true;
	scheduler_host_resolved(transfer->scheduler, transfer->claim.host);
	if (refused_by) {
		transfer->refused_by = refused_by;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    address->protocol);
	if (fd < 0) {
		transfer->out_of_sockets = errno != EAFNOSUPPORT;
		return CURL_SOCKET_BAD;
	}
	sockets_opened(transfer->sockets, fd);
	atomic_fetch_add_explicit(&shared->counters.connections_opened, 1, memory_order_relaxed);
	return fd;
}

/*
 * Called immediately before the request is sent, over a new connection and over a kept one. The
 * gate and the lease are compared again, because connecting may have taken long and the process may
 * have been stopped meanwhile. CURLOPT_FRESH_CONNECT is for libcurl's own repetition: it needs a
 * socket then, and on_open_socket refuses one.
 */
static int on_connected(void *userdata, char *to _unused_, char *from _unused_,
			int to_port _unused_, int from_port _unused_) {
	struct transfer *transfer = userdata;

	transfer->resolved = true;
	scheduler_host_resolved(transfer->scheduler, transfer->claim.host);
	transfer->sent = true;
	transfer->tls_version = tls_version(transfer->easy);
	SET(transfer, CURLOPT_FRESH_CONNECT, 1L);
	transfer->withheld = !engine_shared_gate_admits(transfer->shared, transfer->claim.job) ||
			     !engine_shared_lease_holds(transfer->shared);
	return transfer->withheld ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* A connection outlives its transfer, so its user data is the thread's sockets. */
static int on_close_socket(void *userdata, curl_socket_t fd) {
	struct sockets *sockets = userdata;

	sockets_closing(sockets, fd);
	return close(fd);
}

/* Options for the handle's whole life. transfer_begin sets those that differ between attempts, so
 * that no reset is needed. */
static void set_limits(struct transfer *transfer, const struct config *config) {
	SET(transfer, CURLOPT_NOSIGNAL, 1L);
	SET(transfer, CURLOPT_CONNECTTIMEOUT_MS, (long)config->delivery_connect_timeout_ms);
	SET(transfer, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
	SET(transfer, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
	SET(transfer, CURLOPT_TCP_NODELAY, 1L);
	/* The end of a transfer does not wait for its resolver thread: the whole delivery thread
	 * would. */
	SET(transfer, CURLOPT_QUICK_EXIT, 1L);
}

static void set_policy(struct transfer *transfer, const struct config *config) {
	SET(transfer, CURLOPT_PROTOCOLS_STR, config->endpoint_allow_http ? "http,https" : "https");
	SET(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(transfer, CURLOPT_FOLLOWLOCATION, 0L);
	proxy_prepare(&transfer->shared->proxy, transfer->easy);
	SET(transfer, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(transfer, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(transfer, CURLOPT_SSL_VERIFYHOST, 2L);
	/* curl would read and keep the authorities once for each shard: 20 ms and 0.8 MB. */
	SET(transfer, CURLOPT_CAPATH, NULL);
	SET(transfer, CURLOPT_CAINFO, NULL);
	/* It would keep ours of the first connection too, and show them to all later ones. */
	SET(transfer, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	SET(transfer, CURLOPT_SSL_CTX_FUNCTION, tls_on_context);
	SET(transfer, CURLOPT_SSL_CTX_DATA, &transfer->tls);
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

/* The list of headers: all lines, and one that removes a header: a callback's body does not wait
 * for a "100 Continue". */
static void set_headers(struct transfer *transfer) {
	static char no_expect[] = "Expect:";

	transfer->no_expect.data = no_expect;
	transfer->header.next = &transfer->no_expect;
	SET(transfer, CURLOPT_HTTPHEADER, &transfer->header);
}

/* curl takes the pair into what its connections and TLS sessions are known by: none of another pair
 * is used. */
static void choose_pair(struct transfer *transfer) {
	struct client_pair *pair = client_certificate_get(&transfer->shared->client_certificate);

	if (pair != transfer->pair) {
		SET(transfer, CURLOPT_SSLCERT_BLOB, &pair->certificate);
		SET(transfer, CURLOPT_SSLKEY_BLOB, &pair->key);
	}
	client_pair_unref(transfer->pair);
	transfer->pair = pair;
}

static void init_handle(struct transfer *transfer) {
	transfer->easy = x_checked(curl_easy_init());
	set_limits(transfer, transfer->shared->config);
	set_policy(transfer, transfer->shared->config);
	set_callbacks(transfer);
	set_headers(transfer);
}

static void end_handle(struct transfer *transfer) {
	curl_easy_cleanup(transfer->easy);
	client_pair_unref(TAKE(transfer->pair));
	tls_sessions_unref(TAKE(transfer->sessions));
}

/*
 * After a look-up that failed, libcurl 8.14 leaks the name when the handle's next look-up begins.
 * The handle's own end frees it. Source: curl issue 17602, fixed in 8.15.
 */
static void renew_handle(struct transfer *transfer) {
	end_handle(transfer);
	init_handle(transfer);
}

struct transfer *transfer_new(struct engine_shared *shared, struct sockets *sockets,
			      struct scheduler *scheduler) {
	struct transfer *transfer = x_calloc(1, sizeof(*transfer));

	transfer->shared = shared;
	transfer->sockets = sockets;
	transfer->scheduler = scheduler;
	transfer->tls.authorities = shared->authorities;
	transfer->lines = BUFFER_INIT(CALLBACK_LINES_MAX);
	init_handle(transfer);
	return transfer;
}

void transfer_free(struct transfer *transfer) {
	if (!transfer)
		return;
	end_handle(transfer);
	response_destroy(&transfer->response);
	buffer_destroy(&transfer->lines);
	free(transfer);
}

/*
 * Until when the authorities settle, after a change (monotonic). Connections from before it are not
 * used any more, and one that was begun within the second behind it may have resumed a session of
 * before. Meanwhile each attempt opens its own; from then on curl's whole seconds tell them apart.
 */
static int64_t trust_settles_us(const struct transfer *transfer) {
	int64_t changed_us = tls_authorities_changed_us(transfer->shared->authorities);

	return changed_us ? changed_us + TRUST_SETTLES_US : 0;
}

/* How old a kept connection may be for this attempt. curl counts whole seconds: it uses one that is
 * almost a second older. */
static void choose_connection(struct transfer *transfer) {
	const struct config *config = transfer->shared->config;
	int64_t settled_us = trust_settles_us(transfer);
	int64_t since_us = MAX(transfer->claim.host->connections_since_us, settled_us - SECOND_US);
	int64_t age_s = config->delivery_connection_lifetime_ms / 1000 - 1;
	bool is_probe = transfer->claim.job->is_probe;

	if (since_us > 0)
		age_s = MIN(age_s, (transfer->started_us - since_us) / SECOND_US);
	/* 0 would be no limit. */
	SET(transfer, CURLOPT_MAXLIFETIME_CONN, (long)MAX(age_s, (int64_t)1));
	SET(transfer, CURLOPT_FRESH_CONNECT, (long)(is_probe || transfer->started_us < settled_us));
	SET(transfer, CURLOPT_DNS_CACHE_TIMEOUT,
	    (long)(is_probe ? PROBE_DNS_CACHE_S : DNS_CACHE_S));
}

static void choose_sessions(struct transfer *transfer) {
	struct tls_sessions *sessions = shard_sessions(
	    transfer->shard, tls_authorities_changed_us(transfer->shared->authorities));

	if (sessions == transfer->sessions)
		return;
	SET(transfer, CURLOPT_SHARE, sessions->share);
	tls_sessions_unref(transfer->sessions);
	transfer->sessions = tls_sessions_ref(sessions);
}

/* Into its shard, without a result, unless it must not be sent. */
static bool enter_shard(struct transfer *transfer) {
	choose_sessions(transfer);
	response_reset(&transfer->response,
		       (size_t)transfer->shared->config->delivery_response_excerpt_bytes);
	transfer->tls_version = NULL;
	transfer->refused_by = proxy_refusal(&transfer->shared->proxy, transfer->claim.job);
	transfer->error[0] = '\0';
	transfer->out_of_sockets = transfer->withheld = transfer->resolved = transfer->connects =
	    transfer->sent = transfer->unanswered = false;
	tls_watch_end(&transfer->tls);
	return !transfer->refused_by &&
	       curl_multi_add_handle(transfer->shard->multi, transfer->easy) == CURLM_OK;
}

bool transfer_begin(struct transfer *transfer, const struct scheduler_claim *claim,
		    struct shard *shard) {
	const struct job *job = claim->job;

	transfer->claim = *claim;
	transfer->shard = shard;
	transfer->started_us = clock_monotonic_us();
	request_lines_write(&transfer->lines, job, transfer->shared, &transfer->span);
	transfer->header.data = transfer->lines.data;
	choose_connection(transfer);
	choose_pair(transfer);
	proxy_choose(&transfer->shared->proxy, transfer->easy, job);
	SET(transfer, CURLOPT_TIMEOUT_MS, (long)transfer->shared->config->delivery_timeout_ms);
	SET(transfer, CURLOPT_CURLU, job->route->location);
	SET(transfer, CURLOPT_POSTFIELDS, job->delivery.body);
	SET(transfer, CURLOPT_POSTFIELDSIZE, (long)job->delivery.body_len);
	return enter_shard(transfer);
}

/* Whether the request went over a kept connection that ended before the first line of an answer. */
static bool ended_unanswered(const struct transfer *transfer, CURLcode code) {
	bool has_ended =
	    code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;

	return transfer->unanswered || (has_ended && transfer->sent && !transfer->connects &&
					!transfer->response.header_lines);
}

bool transfer_repeat(struct transfer *transfer, CURLcode code) {
	int64_t left_ms;

	if (!ended_unanswered(transfer, code))
		return false;
	left_ms = transfer->shared->config->delivery_timeout_ms -
		  (clock_monotonic_us() - transfer->started_us) / 1000;
	if (left_ms < 1)
		return false;
	curl_multi_remove_handle(transfer->shard->multi, transfer->easy);
	SET(transfer, CURLOPT_FRESH_CONNECT, 1L);
	SET(transfer, CURLOPT_TIMEOUT_MS, (long)left_ms);
	return enter_shard(transfer);
}

void transfer_leave(struct transfer *transfer) {
	curl_multi_remove_handle(transfer->shard->multi, transfer->easy);
	request_lines_wipe(&transfer->lines, transfer->claim.job);
	tls_watch_end(&transfer->tls);
	if (!transfer->resolved)
		renew_handle(transfer);
}
