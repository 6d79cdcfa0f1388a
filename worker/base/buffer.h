/*
 * A growing byte buffer with a maximum, and the few things that are written into one: text, JSON
 * strings, base64url.
 *
 * Appending past the maximum sets `overflowed` and drops the bytes; the writer looks once, at the
 * end. The content is always followed by a NUL that is not counted, so `data` can be used as a C
 * string.
 */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct buffer {
	char *data; /* owned; NULL while empty */
	size_t len; /* bytes */
	size_t capacity;
	size_t max; /* bytes */
	bool overflowed;
};

#define BUFFER_INIT(max_bytes) ((struct buffer){ .max = (max_bytes) })

void buffer_destroy(struct buffer *buffer);

/* Empties it and keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Ensures room for `len` more bytes. Returns where they go, or NULL (and `overflowed`) past the
 * maximum. */
void *buffer_reserve(struct buffer *buffer, size_t len);

void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_string(struct buffer *buffer, const char *s);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) _printf_(2, 3);

/* Text with each control (utf8_control) as \uXXXX, so that whoever looks at it sees it. */
void buffer_append_visible(struct buffer *buffer, const char *text);

/*
 * A JSON string with its quotes. `s` is UTF-8, already checked. All controls (utf8_control) are
 * escaped, which leaves the value as it is. Source: RFC 8259 section 7.
 */
void buffer_append_json_string(struct buffer *buffer, const char *s);
/* The same, or `null` where `s` is NULL. */
void buffer_append_json_string_or_null(struct buffer *buffer, const char *s);

/* Source: RFC 4648 sections 5 (base64url, without padding) and 4 (base64, with padding). */
void buffer_append_base64url(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_base64(struct buffer *buffer, const void *bytes, size_t len);
