/* Texts that are copied one behind the other into a block of exactly their size. */
#pragma once

#include <stddef.h>
#include <string.h>

/* Bytes that the text takes with its end; 0 for NULL. */
static inline size_t packed_text_size(const char *text) {
	return text ? strlen(text) + 1 : 0;
}

/* Copies the text to `*end`, moves `*end` behind it, and returns the copy; NULL for NULL. */
static inline const char *packed_text_add(char **end, const char *text) {
	char *copy = *end;

	if (!text)
		return NULL;
	*end = stpcpy(copy, text) + 1;
	return copy;
}
