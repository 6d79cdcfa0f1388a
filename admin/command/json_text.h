/* The bytes of a value in JSON text that a parser has accepted: text that others sign or verify
 * must be passed on unchanged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_text {
	const char *bytes;
	size_t len;
};

/* The element of an array at `*at`, which begins as 0 and moves behind the element. Returns false
 * when none is left. */
bool json_text_next_element(const struct json_text *array, size_t *at, struct json_text *out);

/* The value of the member of an object at `*at`, likewise, in the order of the text. */
bool json_text_next_member(const struct json_text *object, size_t *at, struct json_text *out);
