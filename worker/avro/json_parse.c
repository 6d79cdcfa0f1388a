#include "avro/json_parse.h"

#include <stdio.h>
#include <string.h>

/* As jansson counts: lines from 1, characters of the line up to and with `at`. */
static void locate(const char *text, const char *at, json_error_t *error) {
	*error = (json_error_t){ .line = 1, .position = (int)(at - text) + 1 };
	for (; text <= at; text++) {
		if (*text == '\n') {
			error->line++;
			error->column = 0;
		} else if (((unsigned char)*text & 0xc0) != 0x80) {
			error->column++;
		}
	}
}

json_t *json_parse(const char *text, size_t len, size_t flags, json_error_t *error) {
	const char *nul = len ? memchr(text, '\0', len) : NULL;

	if (!nul)
		return json_loadb(text, len, flags, error);
	if (error) {
		locate(text, nul, error);
		snprintf(error->text, sizeof(error->text), "a NUL byte");
	}
	return NULL;
}
