#include "avro/json_walk.h"

#include <string.h>

static bool fail(struct json_walk *walk, const char *error) {
	if (!walk->error) {
		walk->error = error;
		walk->error_at = walk->at;
	}
	walk->at = walk->end;
	return false;
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct json_walk *walk) {
	while (walk->at < walk->end && is_blank(*walk->at))
		walk->at++;
}

static bool is_at(const struct json_walk *walk, char c) {
	return walk->at < walk->end && *walk->at == c;
}

/* Passes the string that begins here. */
static bool skip_string(struct json_walk *walk) {
	for (walk->at++; walk->at < walk->end && *walk->at != '"'; walk->at++)
		if (*walk->at == '\\' && walk->at + 1 < walk->end)
			walk->at++;
	if (walk->at == walk->end)
		return fail(walk, "a string has no end");
	walk->at++;
	return true;
}

/* Passes a value: a string, all within a pair of brackets, or a word. */
static bool skip_value(struct json_walk *walk) {
	const char *begin = walk->at;
	size_t depth = 0;

	while (walk->at < walk->end) {
		char c = *walk->at;

		if (depth == 0 && (is_blank(c) || strchr(",:]}", c)))
			break;
		if (c == '"') {
			if (!skip_string(walk))
				return false;
		} else {
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			walk->at++;
		}
		if (depth == 0 && strchr("\"]}", walk->at[-1]))
			break;
	}
	if (depth)
		return fail(walk, "a bracket is not closed");
	return walk->at > begin || fail(walk, "a value is missing");
}

static bool take_value(struct json_walk *walk, struct json_text *out) {
	const char *begin = walk->at;

	if (!skip_value(walk))
		return false;
	*out = (struct json_text){ begin, (size_t)(walk->at - begin) };
	return true;
}

/* Passes what separates this from the one before. Returns false at the end. */
static bool next(struct json_walk *walk) {
	if (walk->error || walk->at == walk->end)
		return walk->error || !walk->close ? false : fail(walk, "a bracket is not closed");
	skip_blanks(walk);
	if (is_at(walk, walk->close)) {
		walk->at++;
		skip_blanks(walk);
		if (walk->at < walk->end)
			return fail(walk, "text is left over behind it");
		walk->close = '\0';
		return false;
	}
	if (walk->is_begun && !is_at(walk, ','))
		return fail(walk, "a comma is missing");
	walk->at += walk->is_begun;
	walk->is_begun = true;
	skip_blanks(walk);
	return true;
}

struct json_walk json_walk_begin(struct json_text text) {
	return (struct json_walk){ .at = text.bytes + 1,
				   .end = text.bytes + text.len,
				   .close = *text.bytes == '{' ? '}' : ']' };
}

bool json_walk_member(struct json_walk *walk, struct json_text *name, struct json_text *value) {
	if (!next(walk))
		return false;
	if (!is_at(walk, '"'))
		return fail(walk, "a name is no string");
	if (!take_value(walk, name))
		return false;
	skip_blanks(walk);
	if (!is_at(walk, ':'))
		return fail(walk, "a colon is missing");
	walk->at++;
	skip_blanks(walk);
	return take_value(walk, value);
}

bool json_walk_element(struct json_walk *walk, struct json_text *value) {
	return next(walk) && take_value(walk, value);
}
