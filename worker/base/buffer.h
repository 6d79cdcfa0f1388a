/*
 * A growing byte buffer with a maximum, and writers of text, JSON strings and base64 into it.
 *
 * Appending past the maximum sets `overflowed` and drops the bytes, so the writer checks once, at
 * the end. A NUL that `len` does not count always follows the content: `data` is a C string.
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

/* Empties the buffer and keeps its memory. */
void buffer_clear(struct buffer *buffer);

/* Ensures room for `len` more bytes. Returns the place to write them to; past the maximum sets
 * `overflowed` and returns NULL. */
void *buffer_reserve(struct buffer *buffer, size_t len);

void buffer_append_growing(struct buffer *buffer, const void *bytes, size_t len);
/* Inline where there is room: a record is written in some fifty pieces. */
static inline void buffer_append(struct buffer *buffer, const void *bytes, size_t len) {
	bool is_allowed = len <= buffer->max && buffer->len <= buffer->max - len;

	if (!is_allowed || len == 0 || len >= buffer->capacity - buffer->len) {
		buffer_append_growing(buffer, bytes, len);
		return;
	}
	memcpy(buffer->data + buffer->len, bytes, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}
void buffer_append_string(struct buffer *buffer, const char *s);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) _printf_(2, 3);

/* Appends text with each control character (utf8_control) as \uXXXX, so that it becomes visible. */
void buffer_append_visible(struct buffer *buffer, const char *text);

/* Appends a JSON string with its quotes. `s` must be valid UTF-8. Every control character
 * (utf8_control) is escaped, which does not change the value. Source: RFC 8259 section 7. */
void buffer_append_json_string(struct buffer *buffer, const char *s);
/* As above; `null` where `s` is NULL. */
void buffer_append_json_string_or_null(struct buffer *buffer, const char *s);

/* Source: RFC 4648 sections 5 (base64url, without padding) and 4 (base64, with padding). */
void buffer_append_base64url(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_base64(struct buffer *buffer, const void *bytes, size_t len);
