#include "base/properties.h"

#include "base/buffer.h"

#include <errno.h>

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c) {
	return c == '\n' || c == '\r' || c == '\0';
}

static const char *skip_blanks(const char *p) {
	while (is_blank(*p))
		p++;
	return p;
}

/* Skips the line's end: LF, CR or CRLF. */
static const char *next_line(const char *p, unsigned *line) {
	if (!*p)
		return p;
	++*line;
	return p[0] == '\r' && p[1] == '\n' ? p + 2 : p + 1;
}

/*
 * Joins natural lines into the logical line that starts at `p`: a backslash before a line's end
 * removes the end and the next line's leading blanks. Other escapes stay, because an escaped
 * separator must not separate.
 */
static const char *take_logical_line(const char *p, unsigned *line, struct buffer *out) {
	buffer_clear(out);
	while (!is_line_end(*p)) {
		if (*p == '\\' && is_line_end(p[1])) {
			p = skip_blanks(next_line(p + 1, line));
			continue;
		}
		buffer_append(out, p, *p == '\\' ? 2 : 1);
		p += *p == '\\' ? 2 : 1;
	}
	return next_line(p, line);
}

/* Four hexadecimal digits. Returns the code unit, or -EINVAL. */
static int take_code_unit(const char **p) {
	int unit = 0;

	for (int i = 0; i < 4; i++) {
		char c = *(*p)++;

		if (c >= '0' && c <= '9')
			unit = unit * 16 + c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			unit = unit * 16 + (c | 0x20) - 'a' + 10;
		else
			return -EINVAL;
	}
	return unit;
}

static void append_utf8(struct buffer *out, unsigned code) {
	if (code < 0x80) {
		buffer_append_char(out, (char)code);
	} else if (code < 0x800) {
		buffer_append_char(out, (char)(0xc0 | code >> 6));
		buffer_append_char(out, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		buffer_append_char(out, (char)(0xe0 | code >> 12));
		buffer_append_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (code & 0x3f)));
	} else {
		buffer_append_char(out, (char)(0xf0 | code >> 18));
		buffer_append_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (code & 0x3f)));
	}
}

/* Parses the digits behind `\u`: a UTF-16 code unit, or two that form a surrogate pair. */
static int take_unicode(const char **p, struct buffer *out) {
	int high = take_code_unit(p), low;

	if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
		return -EINVAL;
	if (high < 0xd800 || high > 0xdfff) {
		append_utf8(out, (unsigned)high);
		return 0;
	}
	if ((*p)[0] != '\\' || (*p)[1] != 'u')
		return -EINVAL;
	*p += 2;
	low = take_code_unit(p);
	if (low < 0xdc00 || low > 0xdfff)
		return -EINVAL;
	append_utf8(out, 0x10000U + ((unsigned)(high - 0xd800) << 10) + (unsigned)(low - 0xdc00));
	return 0;
}

static int unescape(const char *p, const char *end, struct buffer *out) {
	static const char letters[] = "tnrf", meanings[] = "\t\n\r\f";
	const char *letter;

	buffer_clear(out);
	while (p < end) {
		if (*p != '\\') {
			buffer_append_char(out, *p++);
			continue;
		}
		p++;
		if (*p == 'u') {
			p++;
			if (take_unicode(&p, out) < 0)
				return -EINVAL;
			continue;
		}
		letter = strchr(letters, *p);
		buffer_append_char(out, letter ? meanings[letter - letters] : *p);
		p++;
	}
	return 0;
}

/* The key ends at the first unescaped `=`, `:` or blank. */
static const char *end_of_key(const char *p) {
	for (; *p && *p != '=' && *p != ':' && !is_blank(*p); p++) {
		if (*p == '\\')
			p++;
	}
	return p;
}

static const char *start_of_value(const char *p) {
	p = skip_blanks(p);
	if (*p == '=' || *p == ':')
		p = skip_blanks(p + 1);
	return p;
}

void properties_parse(const char *text, const struct properties_handler *handler) {
	size_t max = strlen(text) + 1;
	_cleanup_(buffer_destroy) struct buffer logical = BUFFER_INIT(max), key = BUFFER_INIT(max),
						value = BUFFER_INIT(max);
	unsigned line = 1, first;

	while (*text) {
		const char *key_end, *value_start;

		text = skip_blanks(text);
		if (is_line_end(*text) || *text == '#' || *text == '!') {
			text = next_line(text + strcspn(text, "\r\n"), &line);
			continue;
		}
		first = line;
		text = take_logical_line(text, &line, &logical);
		if (!logical.len)
			continue;
		key_end = end_of_key(logical.data);
		value_start = start_of_value(key_end);
		if (unescape(logical.data, key_end, &key) < 0 ||
		    unescape(value_start, logical.data + logical.len, &value) < 0)
			handler->problem(handler->context, first,
					 "\\u needs four hexadecimal digits of a character");
		else
			handler->entry(handler->context, first, key.len ? key.data : "",
				       value.len ? value.data : "");
	}
}
