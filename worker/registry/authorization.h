/* The credentials for the schema registry, from their secret files. */
#pragma once

#include "base/buffer.h"
#include "base/config.h"

enum { AUTHORIZATION_E_REFUSED = 1 };

/*
 * Appends the header, "Authorization: Basic ..." (RFC 7617) or "Authorization: Bearer ..." (RFC
 * 6750); nothing where neither is configured. The file is read each time, so that a new one counts
 * from the next request. Returns 0, or AUTHORIZATION_E_REFUSED with the reason, never the content.
 */
int authorization_append(const struct config *config, struct buffer *out,
			 struct buffer *why) _must_check_;
