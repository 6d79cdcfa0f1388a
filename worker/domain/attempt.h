/* How one attempt ended, and what that means: the verdict. 2xx is success and nothing else is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum attempt_reason {
	ATTEMPT_OK,      /* a final header block with a 2xx */
	ATTEMPT_STATUS,  /* any other status */
	ATTEMPT_TIMEOUT, /* no final header block in time, also a connect that took too long */
	ATTEMPT_CONNECT, /* refused, unreachable, ended before the response */
	ATTEMPT_DNS,     /* the name does not resolve */
	ATTEMPT_TLS,     /* handshake, verification, or an alert later */
	ATTEMPT_ADDRESS_REFUSED, /* the guard refused the address */
	ATTEMPT_PROTOCOL, /* what came back is not HTTP, broke off before it said anything, or is
			     beyond the limits */
	ATTEMPT_INTERNAL, /* our own fault: no memory or descriptors */
	ATTEMPT_REASON_COUNT,
};

struct attempt_result {
	enum attempt_reason reason;
	int32_t status;         /* HTTP; 0: none */
	int64_t retry_after_ms; /* -1: none */
	int64_t duration_ms;
	int64_t finished_at_ms; /* wall */
};

/* For the operator: "timeout", "status-503", ...: static text. NULL for ATTEMPT_OK. */
const char *attempt_reason_text(const struct attempt_result *result);

/*
 * For whoever the webhook belongs to, and so in everything that is recorded: the same, but with one
 * word, "no-address", for a name that does not resolve and one that resolves to where callbacks may
 * not go. Two would tell a stranger which names there are inside. Source: OWASP, Server-Side
 * Request Forgery Prevention Cheat Sheet.
 */
const char *attempt_reason_told(const struct attempt_result *result);

/* What was recorded before, in today's words. NULL for NULL. */
const char *attempt_reason_retold(const char *recorded);

/* The verdict on a status line. */
static inline bool attempt_status_is_success(int32_t status) {
	return status >= 200 && status < 300;
}

/*
 * Whether the status is an endpoint's word that it wants less: only there a Retry-After counts.
 * Source: RFC 9110 section 10.2.3, RFC 6585 section 4.
 */
static inline bool attempt_may_ask_to_wait(int32_t status) {
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Whether it said that it is gone for good. Source: RFC 9110 section 15.5.11. */
static inline bool attempt_is_gone(const struct attempt_result *result) {
	return result->reason == ATTEMPT_STATUS && result->status == 410;
}

/*
 * Retry-After, both forms, as milliseconds from `now_ms` (wall); -1 where it is malformed. Source:
 * RFC 9110 section 10.2.3.
 */
int64_t retry_after_parse(const char *value, int64_t now_ms);
