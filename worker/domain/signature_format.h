/* The forms of a callback's signature that a webhook may ask for. Plain strings on the wire, so
 * that an unknown one is a refused value and not an undecodable record. */
#pragma once

#include "base/memory.h"

enum signature_format {
	SIGNATURE_RFC9421,                /* "rfc9421" */
	SIGNATURE_STANDARD_WEBHOOKS,      /* "standard-webhooks": v1a, Ed25519 */
	SIGNATURE_STANDARD_WEBHOOKS_HMAC, /* "standard-webhooks-hmac": v1, HMAC-SHA256 */
	SIGNATURE_FORMAT_COUNT,
};

const char *signature_format_name(enum signature_format format);

enum { SIGNATURE_FORMAT_E_UNKNOWN = 1 };

/* Returns 0, or SIGNATURE_FORMAT_E_UNKNOWN. */
int signature_format_parse(const char *name, enum signature_format *out) _must_check_;
