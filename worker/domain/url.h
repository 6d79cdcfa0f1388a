/*
 * Endpoint urls, checked and normalised once, when the webhook is written: the stored, shown,
 * signed and sent url are the same string. Source: RFC 3986 section 6.2 (normalisation), RFC 5891
 * and UTS 46 (IDNA host names).
 */
#pragma once

#include "base/arena.h"
#include "domain/url_policy.h"

enum { URL_MAX = 2048 };

/*
 * Normalises `text`, which must be an absolute https url with a host name, without user info and
 * fragment, of at most URL_MAX bytes before and after. Returns 0 with the normalised url in the
 * arena, or URL_E_REFUSED with the broken rule in `why` (static text, fit for a `msg`).
 *
 * The normalised form: scheme and host in lower case, host in IDNA A-label form, default port
 * dropped, dot segments removed, empty path "/", percent-encodings in upper case and decoded where
 * they stand for an unreserved character, and everything outside RFC 3986 as well as ' { } | ^ and
 * backtick percent-encoded. A dot at the end of a name stays: without it a resolver may search
 * elsewhere first.
 */
int url_normalise(struct arena *arena, const char *text, const struct url_policy *policy,
		  char **out, const char **why) _must_check_;

/* The parts of a normalised url, as the request and its signature need them. They point into one
 * copy in the arena. */
struct url_parts {
	const char *scheme;    /* "https" */
	const char *host;      /* without brackets or port */
	uint16_t port;         /* the scheme's default where the url has none */
	const char *authority; /* host[:port], the value of Host and of "@authority" */
	const char *path;      /* from the first "/", never empty, without the query */
	const char *query;     /* with its leading "?", or NULL */
};

/* Splits a url that url_normalise returned. Aborts on any other. */
void url_split(struct arena *arena, const char *url, struct url_parts *out);
/* Its scheme, host and port alone: "https://hooks.example.com". In the arena. Source: RFC 6454
 * section 6.2. */
char *url_origin(struct arena *arena, const char *url);
/* "host:port" of such a url: webhooks with the same one have the same endpoint. In the arena. */
char *url_endpoint(struct arena *arena, const char *url);
