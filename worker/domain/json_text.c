#include "domain/json_text.h"

#include "domain/limits.h"

#include <jansson.h>

/*
 * Parses JSON only to check it: the text is sent unchanged. A repeated name in an object is
 * refused, because receivers disagree on which one counts (RFC 8259 section 4). Integers are read
 * as reals, since their range does not matter here.
 */
static json_t *parse(const char *text) {
	return json_loads(text,
			  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL |
			      JSON_DECODE_INT_AS_REAL,
			  NULL);
}

/* Whether the JSON is a string without escapes, as a compact credential is. A quick test: the
 * parser would copy such a string byte by byte. */
static bool is_plain_string(const char *json) {
	const char *p = json;

	if (*p++ != '"')
		return false;
	while ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
		p++;
	return p[0] == '"' && p[1] == '\0';
}

/* Whether valid JSON nests objects and arrays deeper than JSON_DEPTH_MAX. */
static bool is_too_deep(const char *json) {
	bool in_string = false;
	int depth = 0;

	for (; *json && depth <= JSON_DEPTH_MAX; json++) {
		if (*json == '"')
			in_string = !in_string;
		else if (in_string)
			json += *json == '\\';
		else if (*json == '{' || *json == '[')
			depth++;
		else if (*json == '}' || *json == ']')
			depth--;
	}
	return depth > JSON_DEPTH_MAX;
}

static bool is_of_kind(const json_t *json, enum json_text_kind kind) {
	switch (kind) {
	case JSON_TEXT_OBJECT:
		return json_is_object(json);
	case JSON_TEXT_OBJECT_OR_STRING:
		return json_is_object(json) || json_is_string(json);
	case JSON_TEXT_ANY:
		break;
	}
	return json && !json_is_null(json);
}

static bool is_good(const char *text, enum json_text_kind kind) {
	json_t *json = parse(text);
	bool is_right = is_of_kind(json, kind);

	json_decref(json);
	return is_right;
}

_Static_assert(JSON_DEPTH_MAX == 60, "the message says so");

void json_text_validate(struct validation *validation, const char *param, const char *text,
			enum json_text_kind kind, const char *msg) {
	if (kind != JSON_TEXT_OBJECT && is_plain_string(text))
		return;
	if (!is_good(text, kind))
		validation_add(validation, param, "body", text, msg);
	else if (is_too_deep(text))
		validation_add(validation, param, "body", text, "Must be at most 60 levels deep");
}

const char *json_text_string_end(const char *text) {
	if (*text++ != '"')
		return NULL;
	while (*text && *text != '"')
		text += *text == '\\' && text[1] ? 2 : 1;
	return *text ? text + 1 : NULL;
}

const char *json_text_string_value(struct arena *arena, const char *begin, const char *end) {
	size_t len = (size_t)(end - begin);
	json_t *json;
	const char *value;

	if (!memchr(begin, '\\', len))
		return arena_strndup(arena, begin + 1, len - 2);
	json = json_loadb(begin, len, JSON_DECODE_ANY, NULL);
	value = arena_strdup_null(arena, json_string_value(json));
	json_decref(json);
	return value;
}
