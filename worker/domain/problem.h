/* The body of a refusal:
 * {"code","type","message","details":[{"value","msg","param","location"}]}. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct problem_detail {
	const char *value;    /* the received value, cut to PROBLEM_VALUE_MAX bytes between two
				 characters; "" where it is missing */
	const char *msg;      /* "Invalid value" or the broken rule, in words */
	const char *param;    /* url, events, events[1], id, limit, cursor, commandId, ... */
	const char *location; /* body, params, query, headers, limits, group or rights */
};

struct problem {
	int status;          /* the HTTP status: 400, 404, 409 */
	const char *code;    /* its reason: BadRequest, NotFound, Conflict */
	const char *type;    /* request, resource, auth, server */
	const char *message; /* one sentence */
	struct problem_detail *details;
	size_t detail_count;
	size_t detail_capacity; /* of `details`, in the arena */
};

enum { PROBLEM_VALUE_MAX = 256, PROBLEM_DETAILS_MAX = 64 };

/* Makes a problem without details. `status` must be one of 400, 401, 404, 405, 409, 413, 414,
 * 415, 417, 429, 431, 500, 501, 503, 505. Borrows `message`. */
struct problem *problem_new(struct arena *arena, int status, const char *message);

/* Adds a detail; drops details past PROBLEM_DETAILS_MAX. Copies and cuts `value`, borrows the
 * rest. */
void problem_add(struct arena *arena, struct problem *problem, const char *param,
		 const char *location, const char *value, const char *msg);

/* Whether a detail names the parameter; not where `problem` is NULL. */
bool problem_names(const struct problem *problem, const char *param);
