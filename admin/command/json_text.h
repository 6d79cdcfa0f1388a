/*
 * Finding the bytes of a value in JSON text that a parser has already accepted: what is passed on
 * for others to sign or verify is not to be written anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_text {
	const char *bytes;
	size_t len;
};

/* The element of an array at `*at`, which moves behind it; 0 to begin with. Returns false when
 * there is none left. */
bool json_text_next_element(const struct json_text *array, size_t *at, struct json_text *out);

/* The value of the member of an object at `*at`, likewise; members come in the order of the text.
 */
bool json_text_next_member(const struct json_text *object, size_t *at, struct json_text *out);
