/*
 * A walk over the text of a JSON object or array, which makes no tree of it: each member and each
 * element is told by its own bytes. Such a value is not judged yet, but for the end of its strings
 * and brackets; who takes it parses it. Text that others sign is passed on unchanged this way, and
 * memory is that of the text, whatever it nests. Source: RFC 8259.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_text {
	const char *bytes;
	size_t len;
};

struct json_walk {
	const char *at, *end;
	char close;        /* the bracket that ends it */
	bool is_begun;     /* a member or an element was told */
	const char *error; /* static text, of the first fault; NULL: none */
	const char *error_at;
};

/* Begins the walk inside `text`, which begins with a bracket of `{` or `[`. */
struct json_walk json_walk_begin(struct json_text text);

/* Each returns false at the end and after a fault. A member's name keeps its quotes and escapes. */
bool json_walk_member(struct json_walk *walk, struct json_text *name, struct json_text *value);
bool json_walk_element(struct json_walk *walk, struct json_text *value);
