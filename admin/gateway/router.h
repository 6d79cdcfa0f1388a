/*
 * The router: one table of method, pattern and handler. From it follow the handler of a request, a
 * 404, and a 405 with its Allow.
 *
 * The parts of a pattern are words, or {names}, which match any part that is not empty. A path is
 * split as it was sent, and decoded after that: "%2F" is a slash inside a part, "." and ".." are
 * ordinary parts, and "//" has an empty part, which nothing matches. Where several patterns match,
 * the first in the table counts, also for 405. Source: RFC 3986 sections 3.3 and 6.2.2.2, RFC 9110
 * sections 9.3.7 and 15.5.6.
 */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct exchange;

enum route_access {
	ROUTE_PUBLIC, /* needs no token; a given one must be valid */
	ROUTE_TENANT, /* needs a token */
};

enum route_body {
	ROUTE_NO_BODY,    /* a body is ignored */
	ROUTE_MAYBE_JSON, /* JSON, or no body */
	ROUTE_JSON,
};

struct route {
	const char *method; /* GET includes HEAD */
	const char *pattern;
	enum route_access access;
	enum route_body body;
	void (*handle)(struct exchange *exchange);
	int detail; /* the handler's own */
};

enum { ROUTE_PARAMETERS_MAX = 2 };

struct route_match {
	const struct route *route; /* NULL: the path has another method, or does not exist */
	bool path_found;
	const char *parameters[ROUTE_PARAMETERS_MAX]; /* decoded, in the arena */
};

enum { ROUTER_E_MALFORMED = 1 };

/* Finds the route of a request in `table`, which ends with an empty row. Returns 0, or
 * ROUTER_E_MALFORMED for a path with a bad escape or a NUL, or that is not UTF-8. */
int router_find(const struct route *table, struct arena *arena, const char *method,
		const char *path, struct route_match *out) _must_check_;

/* The methods of the path, "GET, HEAD, PUT, OPTIONS"; "" where it does not exist. In the arena. */
const char *router_allow(const struct route *table, struct arena *arena, const char *path);

/* Decodes percent-escapes, and "+" as a blank if `is_form`. Returns NULL where the result is not
 * text. In the arena. */
char *router_percent_decode(struct arena *arena, const char *text, size_t len, bool is_form);
