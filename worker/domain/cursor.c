#include "domain/cursor.h"

#include "base/base64url.h"
#include "base/buffer.h"
#include "base/clock.h"

static const char CREATED_AT[] = "createdAt=", ID[] = "&id=";

/* Longer than any cursor. */
enum { CURSOR_PLAIN_MAX = 128 };

static void append_escaping_colons(struct buffer *out, const char *text) {
	for (; *text; text++) {
		if (*text == ':')
			buffer_append_string(out, "%3A");
		else
			buffer_append_char(out, *text);
	}
}

char *cursor_format(struct arena *arena, const struct cursor *cursor) {
	_cleanup_(buffer_destroy) struct buffer plain = BUFFER_INIT(CURSOR_PLAIN_MAX),
						text = BUFFER_INIT(CURSOR_PLAIN_MAX * 2);
	char created_at[CLOCK_ISO8601_SIZE], id[UUID_TEXT_SIZE];

	clock_format_iso8601(cursor->created_at_ms, created_at);
	uuid_format(&cursor->id, id);
	buffer_append_string(&plain, CREATED_AT);
	append_escaping_colons(&plain, created_at);
	buffer_append_string(&plain, ID);
	buffer_append_string(&plain, id);
	buffer_append_base64url(&text, plain.data, plain.len);
	return arena_strndup(arena, text.data, text.len);
}

/* Works in place. Other escapes stay, and make the time invalid. */
static void unescape_colons(char *text) {
	char *out = text;

	for (const char *in = text; *in;) {
		if (strncasecmp(in, "%3A", 3) == 0) {
			*out++ = ':';
			in += 3;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
}

static int parse_plain(char *plain, struct cursor *out) {
	char *id = strstr(plain, ID);

	if (strncmp(plain, CREATED_AT, strlen(CREATED_AT)) != 0 || !id)
		return CURSOR_E_REFUSED;
	*id = '\0';
	unescape_colons(plain);
	if (clock_parse_iso8601(plain + strlen(CREATED_AT), &out->created_at_ms) < 0 ||
	    uuid_parse(id + strlen(ID), &out->id) < 0)
		return CURSOR_E_REFUSED;
	return 0;
}

int cursor_parse(const char *text, struct cursor *out) {
	char plain[CURSOR_PLAIN_MAX + 1];
	size_t len;

	if (base64url_decode(text, strlen(text), plain, CURSOR_PLAIN_MAX, &len) < 0)
		return CURSOR_E_REFUSED;
	plain[len] = '\0';
	/* A NUL inside would hide the text behind it. */
	return strlen(plain) == len ? parse_plain(plain, out) : CURSOR_E_REFUSED;
}
