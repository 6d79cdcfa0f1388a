/*
 * The paths: one table of method, pattern and handler, from which follow what is found (the
 * handler), what is not (404), and what may be done instead (405 and its Allow).
 *
 * A pattern's parts are words, or {names} that take any part that is not empty. Parts are told
 * apart in the path as it was sent, and decoded after that: "%2F" is a slash inside a part and
 * never a border, "." and ".." are parts like any other, and "//" has an empty part, which nothing
 * matches. Where several patterns match, the first in the table counts, also for 405. Source: RFC
 * 3986 sections 3.3 and 6.2.2.2, RFC 9110 sections 9.3.7 and 15.5.6.
 */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct exchange;

enum route_access {
	ROUTE_PUBLIC, /* no token is asked for; one that is there must be good */
	ROUTE_TENANT, /* a token */
};

enum route_body {
	ROUTE_NO_BODY,    /* what there is of it is not looked at */
	ROUTE_MAYBE_JSON, /* may be left out */
	ROUTE_JSON,
};

struct route {
	const char *method; /* GET stands for HEAD too */
	const char *pattern;
	enum route_access access;
	enum route_body body;
	void (*handle)(struct exchange *exchange);
	int detail; /* the handler's own */
};

enum { ROUTE_PARAMETERS_MAX = 2 };

struct route_match {
	const struct route *route; /* NULL: another method, or nothing */
	bool path_found;
	const char *parameters[ROUTE_PARAMETERS_MAX]; /* decoded, in the arena */
};

enum { ROUTER_E_MALFORMED = 1 };

/* `table` ends with an empty row. Returns 0, or ROUTER_E_MALFORMED where the path has a bad escape,
 * a NUL, or is not UTF-8. */
int router_find(const struct route *table, struct arena *arena, const char *method,
		const char *path, struct route_match *out) _must_check_;

/* "GET, HEAD, PUT, OPTIONS": what may be done with the path, "" where nothing can. In the arena. */
const char *router_allow(const struct route *table, struct arena *arena, const char *path);

/* Decodes percent-escapes, and "+" as a blank where `is_form`; NULL where that is no text. In the
 * arena. */
char *router_percent_decode(struct arena *arena, const char *text, size_t len, bool is_form);
