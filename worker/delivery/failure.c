#include "delivery/failure.h"

/* curl has one code for several faults of a peer and of our own; what it had received tells them apart. */
static enum attempt_reason ambiguous_reason(bool answered) {
	return answered ? ATTEMPT_PROTOCOL : ATTEMPT_INTERNAL;
}

enum attempt_reason failure_reason(CURLcode code, bool answered) {
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ATTEMPT_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
		return ATTEMPT_DNS;
	case CURLE_COULDNT_CONNECT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return ATTEMPT_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return ATTEMPT_TLS;
	case CURLE_OK: /* the connection ended within the header block */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WRITE_ERROR: /* our callbacks stopped an endless header */
		return ATTEMPT_PROTOCOL;
	default:
		return ambiguous_reason(answered);
	}
}
