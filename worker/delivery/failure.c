#include "delivery/failure.h"

/* curl has codes that stand for faults of the peer and of this process. Where bytes were received
 * the fault is the peer's. */
static enum attempt_reason ambiguous_reason(const struct failure *failure) {
	return failure->has_bytes ? ATTEMPT_PROTOCOL : ATTEMPT_INTERNAL;
}

/* The connection ended or broke. With TLS 1.3 a receiver's refusal of the handshake is only seen
 * while the answer is read. Source: RFC 8446 section 4.6.2. */
static enum attempt_reason broken_reason(const struct failure *failure) {
	if (failure->has_alert)
		return ATTEMPT_TLS;
	return failure->has_lines ? ATTEMPT_PROTOCOL : ATTEMPT_CONNECT;
}

static enum attempt_reason unconnected_reason(const struct failure *failure) {
	if (failure->is_refused)
		return ATTEMPT_ADDRESS_REFUSED;
	return failure->is_out_of_means ? ATTEMPT_INTERNAL : ATTEMPT_CONNECT;
}

static bool has_ended(CURLcode code) {
	return code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
}

/* With these statuses a proxy says that it did not reach the endpoint. Source: RFC 9110
 * section 15.6. */
static bool is_of_gateway(long status) {
	return status >= 502 && status <= 504;
}

/* The reason of an attempt that did not come through the proxy; ATTEMPT_OK where it did, or where
 * this process is at fault. */
static enum attempt_reason proxy_reason(const struct failure *failure) {
	bool has_tunnel = failure->tunnel_status / 100 == 2;

	if (!failure->by_proxy || failure->is_out_of_means)
		return ATTEMPT_OK;
	if (failure->tunnel_status && !has_tunnel)
		return is_of_gateway(failure->tunnel_status) ? ATTEMPT_PROXY_GATEWAY
							     : ATTEMPT_PROXY_REFUSED;
	if (failure->code == CURLE_COULDNT_RESOLVE_PROXY || failure->code == CURLE_COULDNT_CONNECT)
		return ATTEMPT_PROXY_CONNECT;
	if (failure->code == CURLE_OPERATION_TIMEDOUT && !failure->has_reached_proxy)
		return ATTEMPT_PROXY_CONNECT;
	if (!has_ended(failure->code) || failure->has_lines || failure->has_alert)
		return ATTEMPT_OK;
	return failure->is_sent || has_tunnel ? ATTEMPT_PROXY_BROKEN : ATTEMPT_PROXY_CONNECT;
}

enum attempt_reason failure_reason(const struct failure *failure) {
	enum attempt_reason of_proxy = proxy_reason(failure);

	if (failure->is_excessive)
		return ATTEMPT_PROTOCOL;
	if (of_proxy != ATTEMPT_OK)
		return of_proxy;
	switch (failure->code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ATTEMPT_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
		return failure->is_out_of_means ? ATTEMPT_INTERNAL : ATTEMPT_DNS;
	case CURLE_COULDNT_CONNECT:
		return unconnected_reason(failure);
	case CURLE_FAILED_INIT: /* it was not begun */
		return failure->is_refused ? ATTEMPT_ADDRESS_REFUSED : ATTEMPT_INTERNAL;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return broken_reason(failure);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return ATTEMPT_TLS;
	case CURLE_UNSUPPORTED_PROTOCOL:
		/* Before the request is sent, a scheme that is not allowed (any more); after it, an
		 * answer in HTTP/0.9. */
		return failure->is_sent ? ATTEMPT_PROTOCOL : ATTEMPT_ADDRESS_REFUSED;
	case CURLE_OK: /* the connection ended within the header block */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WRITE_ERROR: /* our callbacks stopped an endless header */
		return ATTEMPT_PROTOCOL;
	default:
		return ambiguous_reason(failure);
	}
}
