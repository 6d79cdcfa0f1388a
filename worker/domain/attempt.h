/* An attempt's result and its verdict: 2xx is success and nothing else is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum attempt_reason {
	ATTEMPT_OK,      /* a final header block with a 2xx */
	ATTEMPT_STATUS,  /* any other status */
	ATTEMPT_TIMEOUT, /* no final header block in time; also a connect that took too long */
	ATTEMPT_CONNECT, /* refused, unreachable, closed before the response */
	ATTEMPT_DNS,     /* the name does not resolve */
	ATTEMPT_TLS,     /* handshake, verification, or a later alert */
	ATTEMPT_ADDRESS_REFUSED, /* the guard refused the address */
	ATTEMPT_PROTOCOL, /* the response is not HTTP, breaks off within its headers, or exceeds the
			     limits */
	ATTEMPT_INTERNAL, /* the worker's own fault: no memory or descriptors */
	ATTEMPT_PROXY_CONNECT, /* the proxy was not reached, or ended before it answered */
	ATTEMPT_PROXY_REFUSED, /* the proxy refused the request: 407, 403 and others */
	ATTEMPT_PROXY_GATEWAY, /* the proxy did not reach the endpoint: 502, 503, 504 */
	ATTEMPT_PROXY_BROKEN, /* the way through the proxy ended before the response: by whom is not
				 known */
	ATTEMPT_REASON_COUNT,
};

/* What is told of the endpoint that a failed attempt reached. */
struct attempt_response {
	const char *body;    /* its first bytes, where they are text, with control characters as
				\uXXXX; NULL: none */
	const char *address; /* connected to; NULL: the proxy's */
	const char *http_version; /* of the answer, "1.1": static; NULL: there was none */
	const char *tls_version;  /* "TLSv1.3": static; NULL: none */
};

struct attempt_result {
	enum attempt_reason reason;
	int32_t status;         /* HTTP; 0: none */
	int64_t retry_after_ms; /* -1: none */
	int64_t duration_ms;
	int64_t started_at_ms;                   /* wall */
	int64_t finished_at_ms;                  /* wall */
	const struct attempt_response *response; /* borrowed; NULL: a success, or nothing was
						    reached */
};

/* The reason in the operator's words: "timeout", "status-503", ...: static text. NULL for
 * ATTEMPT_OK. */
const char *attempt_reason_text(const struct attempt_result *result);

/*
 * The reason in the tenant's words, and so in every record: the operator's, except that
 * "no-address" stands both for a name that does not resolve and for one that resolves to a
 * forbidden address, and "proxy" for all that the proxy's answers and its absence may tell. More
 * words would tell a stranger which internal names exist. Source: OWASP, Server-Side Request
 * Forgery Prevention Cheat Sheet.
 */
const char *attempt_reason_public(const struct attempt_result *result);

/* Translates a recorded reason, which may have an older word, into today's. NULL for NULL. */
const char *attempt_reason_translate(const char *recorded);

/* The verdict on a status. */
static inline bool attempt_status_is_success(int32_t status) {
	return status >= 200 && status < 300;
}

/* Whether the status asks for fewer requests. Only then does a Retry-After count. Source: RFC
 * 9110 section 10.2.3, RFC 6585 section 4. */
static inline bool attempt_may_ask_to_wait(int32_t status) {
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Whether the endpoint said that it is gone for good. Source: RFC 9110 section 15.5.11. */
static inline bool attempt_is_gone(const struct attempt_result *result) {
	return result->reason == ATTEMPT_STATUS && result->status == 410;
}

/* Whether a failure tells something of the endpoint. An attempt that this process or the proxy
 * stopped would have failed at any endpoint. */
static inline bool attempt_is_of_endpoint(const struct attempt_result *result) {
	return result->reason != ATTEMPT_INTERNAL && result->reason != ATTEMPT_PROXY_CONNECT &&
	       result->reason != ATTEMPT_PROXY_REFUSED;
}

/* Parses Retry-After, in both forms, into milliseconds from `now_ms` (wall); -1 where it is
 * malformed. Source: RFC 9110 section 10.2.3. */
int64_t retry_after_parse(const char *value, int64_t now_ms);
