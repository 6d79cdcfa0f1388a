#include "base/buffer.h"

#include "base/utf8.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

void buffer_destroy(struct buffer *buffer) {
	free(buffer->data);
	*buffer = (struct buffer){ .max = buffer->max };
}

void buffer_clear(struct buffer *buffer) {
	buffer->len = 0;
	buffer->overflowed = false;
	if (buffer->data)
		buffer->data[0] = '\0';
}

void *buffer_reserve(struct buffer *buffer, size_t len) {
	size_t need;

	if (len > buffer->max || buffer->len > buffer->max - len) {
		buffer->overflowed = true;
		return NULL;
	}
	need = buffer->len + len + 1;
	if (need > buffer->capacity) {
		buffer->capacity = MAX(buffer->capacity * 2, (size_t)256);
		buffer->capacity = MAX(buffer->capacity, need);
		buffer->data = x_realloc(buffer->data, buffer->capacity);
	}
	return buffer->data + buffer->len;
}

void buffer_append_growing(struct buffer *buffer, const void *bytes, size_t len) {
	char *room = buffer_reserve(buffer, len);

	if (!room)
		return;
	if (len)
		memcpy(room, bytes, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

void buffer_append_string(struct buffer *buffer, const char *s) {
	buffer_append(buffer, s, strlen(s));
}

void buffer_append_char(struct buffer *buffer, char c) {
	buffer_append(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...) {
	va_list args, again;
	char *room;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		out_of_memory();
	room = buffer_reserve(buffer, (size_t)len);
	if (room) {
		vsnprintf(room, (size_t)len + 1, format, again);
		buffer->len += (size_t)len;
	}
	va_end(again);
}

void buffer_append_visible(struct buffer *buffer, const char *text) {
	const char *plain = text;

	while (*text) {
		uint32_t code_point;
		size_t len = (unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f
				 ? 0
				 : utf8_control(text, &code_point);

		if (len) {
			buffer_append(buffer, plain, (size_t)(text - plain));
			buffer_printf(buffer, "\\u%04x", code_point);
			plain = text + len;
		}
		text += len ? len : 1;
	}
	buffer_append(buffer, plain, (size_t)(text - plain));
}

void buffer_append_json_string(struct buffer *buffer, const char *s) {
	const char *plain = s;

	buffer_append_char(buffer, '"');
	while (*s) {
		unsigned char c = (unsigned char)*s;
		uint32_t code_point;
		size_t len;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			s++;
			continue;
		}
		len = utf8_control(s, &code_point);
		if (!len && c >= 0x80) {
			s++;
			continue;
		}
		buffer_append(buffer, plain, (size_t)(s - plain));
		if (len)
			buffer_printf(buffer, "\\u%04x", code_point);
		else
			buffer_append(buffer, (char[]){ '\\', (char)c }, 2);
		s += len ? len : 1;
		plain = s;
	}
	buffer_append(buffer, plain, (size_t)(s - plain));
	buffer_append_char(buffer, '"');
}

void buffer_append_json_string_or_null(struct buffer *buffer, const char *s) {
	if (s)
		buffer_append_json_string(buffer, s);
	else
		buffer_append_string(buffer, "null");
}

static void append_encoded(struct buffer *buffer, const void *bytes, size_t len, int variant) {
	size_t encoded_len = sodium_base64_encoded_len(len, variant) - 1;
	char *room = buffer_reserve(buffer, encoded_len);

	if (!room)
		return;
	sodium_bin2base64(room, encoded_len + 1, bytes, len, variant);
	buffer->len += encoded_len;
}

void buffer_append_base64url(struct buffer *buffer, const void *bytes, size_t len) {
	append_encoded(buffer, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void buffer_append_base64(struct buffer *buffer, const void *bytes, size_t len) {
	append_encoded(buffer, bytes, len, sodium_base64_VARIANT_ORIGINAL);
}
