/*
 * Endpoint urls: checked and normalised once, when the webhook is written, so that what is stored,
 * shown, signed and sent is one string. Source: RFC 3986 section 6.2 (normalisation), RFC 5891 and
 * UTS 46 (IDNA host names).
 */
#pragma once

#include "base/arena.h"
#include "base/config.h"

enum { URL_MAX = 2048, URL_E_REFUSED = 1 };

struct url_policy {
	bool allow_http; /* endpoint.allow.http */
	const struct network_list
	    *allow_networks; /* endpoint.allow.networks: where an IP literal is allowed */
};

/*
 * `text` must be an absolute https url of at most URL_MAX bytes, before and after, with a host name
 * and without user info or fragment. Returns 0 with the normalised url in the arena, or
 * URL_E_REFUSED with the rule that is broken in `why` (static text, fit for a `msg`).
 *
 * Normalised: scheme and host lower case, host in IDNA A-label form, default port dropped, dot
 * segments removed, empty path "/", percent-encodings in upper case hex and decoded where they
 * stand for an unreserved character, everything outside RFC 3986 and also ' { } | ^ and backtick
 * percent-encoded. A dot that ends a name stays: without it a resolver may look elsewhere first.
 */
int url_normalise(struct arena *arena, const char *text, const struct url_policy *policy,
		  char **out, const char **why) __attribute__((warn_unused_result));

/* The parts of a normalised url, as the request and its signature need them. Pointers into one copy
 * in the arena. */
struct url_parts {
	const char *scheme;    /* "https" */
	const char *host;      /* without brackets or port */
	uint16_t port;         /* the default where the url has none */
	const char *authority; /* host[:port], the value of Host and of "@authority" */
	const char *path;      /* from the first "/", never empty, without the query */
	const char *query;     /* with its leading "?", or NULL */
};

/* Splits a url that url_normalise returned; anything else aborts. */
void url_split(struct arena *arena, const char *url, struct url_parts *out);
