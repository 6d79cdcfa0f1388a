#include "command/json_text.h"

#include <string.h>

static size_t skip_blanks(const struct json_text *text, size_t at) {
	while (at < text->len && strchr(" \t\r\n", text->bytes[at]))
		at++;
	return at;
}

/* Returns the place behind the closing quote of the string at `at`. */
static size_t skip_string(const struct json_text *text, size_t at) {
	for (at++; at < text->len && text->bytes[at] != '"'; at++) {
		if (text->bytes[at] == '\\')
			at++;
	}
	return at + 1;
}

/* Skips strings whole, so that only structural brackets count. */
static size_t skip_value(const struct json_text *text, size_t at) {
	size_t depth = 0;

	while (at < text->len) {
		char c = text->bytes[at];

		if (depth == 0 && strchr(":,]} \t\r\n", c))
			break;
		if (c == '"') {
			at = skip_string(text, at);
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		at++;
	}
	return at < text->len ? at : text->len;
}

static size_t skip_separators(const struct json_text *text, size_t at) {
	at = skip_blanks(text, at);
	if (at < text->len && strchr("[{,:", text->bytes[at]))
		at = skip_blanks(text, at + 1);
	return at;
}

static bool at_end(const struct json_text *text, size_t at) {
	return at >= text->len || text->bytes[at] == ']' || text->bytes[at] == '}';
}

static size_t take_value(const struct json_text *text, size_t at, struct json_text *out) {
	size_t end = skip_value(text, at);

	*out = (struct json_text){ .bytes = text->bytes + at, .len = end - at };
	return end;
}

bool json_text_next_element(const struct json_text *array, size_t *at, struct json_text *out) {
	size_t start = *at ? *at : skip_blanks(array, 0);

	/* The first separator is the opening bracket; a later one may be the closing one. */
	start = skip_blanks(array, start);
	if (*at && at_end(array, start))
		return false;
	start = skip_blanks(array, start + 1);
	if (at_end(array, start))
		return false;
	*at = take_value(array, start, out);
	return true;
}

bool json_text_next_member(const struct json_text *object, size_t *at, struct json_text *out) {
	size_t start = skip_separators(object, *at);

	if (at_end(object, start))
		return false;
	start =
	    skip_separators(object, take_value(object, start, out)); /* the name, and its colon */
	*at = take_value(object, start, out);
	return true;
}
