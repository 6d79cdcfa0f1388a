/* JSON as text that is sent unchanged, and so is only checked, or looked into. Inside `domain`
 * only.
 */
#pragma once

#include "domain/validation.h"

enum json_text_kind {
	JSON_TEXT_OBJECT,
	JSON_TEXT_OBJECT_OR_STRING,
	JSON_TEXT_ANY, /* but null */
};

/* Adds a detail with `msg` for a text that is no JSON, has a name twice, or is of another kind; and
 * one for more than JSON_DEPTH_MAX levels. */
void json_text_validate(struct validation *validation, const char *param, const char *text,
			enum json_text_kind kind, const char *msg);

/* The end of the JSON string that begins at `text`, behind its closing quote; NULL: it is none. */
const char *json_text_string_end(const char *text);
/* The value of the JSON string between `begin` and `end`, in the arena. */
const char *json_text_string_value(struct arena *arena, const char *begin, const char *end);
