/*
 * Java-style properties, against a model: the reader and the converter of java.util.Properties,
 * character by character.
 */
#include "base/properties.h"
#include "base/utf8.h"
#include "fuzz.h"

enum { TEXT_MAX = 1024 * 1024 };

/* The parsed entries, in a form that has one reading: `length:bytes` of key and value, or `!`. */
struct reading {
	struct buffer text;
	unsigned line, lines; /* of the last entry; that there are */
};

static void append(struct buffer *out, const char *key, size_t key_len, const char *value,
		   size_t value_len) {
	buffer_printf(out, "%zu:", key_len);
	buffer_append(out, key, key_len);
	buffer_printf(out, "%zu:", value_len);
	buffer_append(out, value, value_len);
}

static void take_line(struct reading *reading, unsigned line) {
	CHECK(line > reading->line && line <= reading->lines);
	reading->line = line;
}

static void on_entry(void *context, unsigned line, const char *key, const char *value) {
	struct reading *reading = context;

	take_line(reading, line);
	append(&reading->text, key, strlen(key), value, strlen(value));
}

static void on_problem(void *context, unsigned line, const char *rule) {
	struct reading *reading = context;

	CHECK(*rule);
	take_line(reading, line);
	buffer_append_char(&reading->text, '!');
}

/* --- The model --- */

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\f';
}

/* As LineReader.readLine of Java SE 17: the next logical line. Returns false at the end. */
static bool model_read_line(const char **text, struct buffer *out) {
	bool skip_blanks = true, is_new = true, is_comment = false, is_continued = false,
	     is_escaped = false;

	buffer_clear(out);
	while (**text) {
		char c = *(*text)++;
		bool is_end = c == '\n' || c == '\r';

		if (c == '\r' && **text == '\n')
			(*text)++;
		if (is_comment) {
			is_comment = !is_end;
			continue;
		}
		if (skip_blanks && (is_blank(c) || (!is_continued && is_end)))
			continue;
		skip_blanks = is_continued = false;
		if (is_new && (c == '#' || c == '!')) {
			is_comment = skip_blanks = true;
			continue;
		}
		is_new = false;
		if (!is_end) {
			buffer_append_char(out, c);
			is_escaped = c == '\\' && !is_escaped;
		} else if (is_escaped) {
			out->len--;
			is_escaped = false;
			skip_blanks = is_continued = true;
		} else if (out->len) {
			return true;
		} else {
			is_new = skip_blanks = true;
		}
	}
	out->len -= is_escaped;
	return out->len > 0;
}

static void append_character(struct buffer *out, unsigned code) {
	char bytes[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(len == 1 ? code : (0xf00U >> len & 0xff) | code);
	buffer_append(out, bytes, len);
}

/* -1: no four digits. */
static long code_unit(const char *text, size_t len) {
	char digits[5] = "";

	if (len < 4)
		return -1;
	memcpy(digits, text, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/*
 * As loadConvert, in UTF-8: no NUL, and no half of a pair. Returns false for what it would refuse.
 */
static bool model_convert(const char *text, size_t len, struct buffer *out) {
	buffer_clear(out);
	for (size_t i = 0; i < len; i++) {
		static const char letters[] = "tnrf", meanings[] = "\t\n\r\f";
		long high, low;

		if (text[i] != '\\') {
			buffer_append_char(out, text[i]);
			continue;
		}
		/* A backslash that is the last one was taken away with the line's end. */
		CHECK(++i < len);
		if (text[i] != 'u') {
			const char *letter = strchr(letters, text[i]);

			buffer_append_char(out, letter ? meanings[letter - letters] : text[i]);
			continue;
		}
		high = code_unit(text + i + 1, len - i - 1);
		i += 4;
		if (high <= 0 || (high >= 0xdc00 && high < 0xe000))
			return false;
		if (high >= 0xd800 && high < 0xdc00) {
			if (len - i < 7 || text[i + 1] != '\\' || text[i + 2] != 'u')
				return false;
			low = code_unit(text + i + 3, len - i - 3);
			if (low < 0xdc00 || low > 0xdfff)
				return false;
			high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
			i += 6;
		}
		append_character(out, (unsigned)high);
	}
	return true;
}

/* As load0. */
static void model_split(const char *line, size_t len, struct buffer *out) {
	_cleanup_(buffer_destroy) struct buffer key = BUFFER_INIT(TEXT_MAX),
						value = BUFFER_INIT(TEXT_MAX);
	bool is_escaped = false, has_separator = false;
	size_t key_len = 0, start;

	for (; key_len < len; key_len++) {
		char c = line[key_len];

		if (!is_escaped && (c == '=' || c == ':' || is_blank(c)))
			break;
		is_escaped = c == '\\' && !is_escaped;
	}
	for (start = key_len; start < len; start++) {
		if (is_blank(line[start]))
			continue;
		if (has_separator || (line[start] != '=' && line[start] != ':'))
			break;
		has_separator = true;
	}
	if (model_convert(line, key_len, &key) && model_convert(line + start, len - start, &value))
		append(out, key.data, key.len, value.data, value.len);
	else
		buffer_append_char(out, '!');
}

static void model_read(const char *text, struct buffer *out) {
	_cleanup_(buffer_destroy) struct buffer line = BUFFER_INIT(TEXT_MAX);

	while (model_read_line(&text, &line))
		model_split(line.data, line.len, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(x_freep) char *text = fuzz_text(data, size);
	_cleanup_(buffer_destroy) struct buffer wanted = BUFFER_INIT(TEXT_MAX);
	struct reading reading = { .text = BUFFER_INIT(TEXT_MAX), .lines = 1 };
	const struct properties_handler handler = { &reading, on_entry, on_problem };

	if (!utf8_is_text(text, strlen(text)))
		return 0;
	for (const char *p = text; *p; p++)
		reading.lines += *p == '\n' || (*p == '\r' && p[1] != '\n');
	properties_parse(text, &handler);
	model_read(text, &wanted);
	CHECK(reading.text.len == wanted.len &&
	      (!wanted.len || !memcmp(reading.text.data, wanted.data, wanted.len)));
	buffer_destroy(&reading.text);
	return 0;
}
