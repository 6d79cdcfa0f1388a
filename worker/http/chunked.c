#include "http/chunked.h"

enum state {
	SIZE,       /* digits */
	SIZE_BLANK, /* blanks behind the digits, before a ";" */
	EXTENSION,  /* up to CR */
	SIZE_LF,    /* behind the CR of a size */
	DATA,       /* `left` bytes */
	DATA_CR,
	DATA_LF,
	TRAILER, /* at the beginning of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF, /* of the empty line */
	END,
	REFUSED,
};

static int digit_value(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_text(char c) {
	return c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f);
}

static bool is_name(char c) {
	return ((unsigned char)c > 0x20 && (unsigned char)c < 0x7f &&
		!strchr("\"(),/:;<=>?@[\\]{}", c));
}

/* At most 16 digits, so that nothing overflows. */
static enum state read_size(struct http_chunked *chunked, char c) {
	int digit = digit_value(c);

	if (digit >= 0 && chunked->digits < 16) {
		chunked->digits++;
		chunked->left = chunked->left * 16 + (uint64_t)digit;
		return SIZE;
	}
	if (digit >= 0 || !chunked->digits)
		return REFUSED;
	return c == '\r'               ? SIZE_LF
	       : c == ';'              ? EXTENSION
	       : c == ' ' || c == '\t' ? SIZE_BLANK
				       : REFUSED;
}

/* Continues behind the line of a size. */
static enum state begin_chunk(struct http_chunked *chunked) {
	chunked->digits = 0;
	return chunked->left ? DATA : TRAILER;
}

/* The state behind a byte that is not data. */
static enum state next_state(struct http_chunked *chunked, char c) {
	switch ((enum state)chunked->state) {
	case SIZE:
		return read_size(chunked, c);
	case SIZE_BLANK:
		return c == ';' ? EXTENSION : c == ' ' || c == '\t' ? SIZE_BLANK : REFUSED;
	case EXTENSION:
		return c == '\r' ? SIZE_LF : is_text(c) ? EXTENSION : REFUSED;
	case SIZE_LF:
		return c == '\n' ? begin_chunk(chunked) : REFUSED;
	case DATA_CR:
		return c == '\r' ? DATA_LF : REFUSED;
	case DATA_LF:
		return c == '\n' ? SIZE : REFUSED;
	case TRAILER:
		return c == '\r' ? LAST_LF : is_name(c) ? TRAILER_NAME : REFUSED;
	case TRAILER_NAME:
		return c == ':' ? TRAILER_VALUE : is_name(c) ? TRAILER_NAME : REFUSED;
	case TRAILER_VALUE:
		return c == '\r' ? TRAILER_LF : is_text(c) ? TRAILER_VALUE : REFUSED;
	case TRAILER_LF:
		return c == '\n' ? TRAILER : REFUSED;
	case LAST_LF:
		return c == '\n' ? END : REFUSED;
	case DATA:
	case END:
	case REFUSED:
		break;
	}
	return REFUSED;
}

static bool is_extra(int state) {
	return state == SIZE_BLANK || state == EXTENSION || state == TRAILER_NAME ||
	       state == TRAILER_VALUE;
}

static enum http_chunked_result refuse_chunk(struct http_chunked *chunked, struct http_refusal *why,
					     int status, const char *message) {
	chunked->state = REFUSED;
	*why = (struct http_refusal){ status, message };
	return HTTP_CHUNKED_REFUSED;
}

static enum http_chunked_result take_data(struct http_chunked *chunked, struct http_portion bytes,
					  size_t *used, struct http_portion *out) {
	*out = (struct http_portion){ bytes.bytes + *used, MIN(bytes.len - *used, chunked->left) };
	chunked->left -= out->len;
	*used += out->len;
	if (!chunked->left)
		chunked->state = DATA_CR;
	return HTTP_CHUNKED_DATA;
}

enum http_chunked_result http_chunked_read(struct http_chunked *chunked, uint64_t chunk_max,
					   struct http_portion bytes, size_t *used,
					   struct http_portion *out, struct http_refusal *why) {
	for (*used = 0; *used < bytes.len;) {
		if (chunked->state == DATA)
			return take_data(chunked, bytes, used, out);
		chunked->state = next_state(chunked, bytes.bytes[(*used)++]);
		if (chunked->state == END)
			return HTTP_CHUNKED_END;
		if (chunked->state == REFUSED)
			return refuse_chunk(chunked, why, 400,
					    "The body is not well-formed chunks.");
		chunked->extra += is_extra(chunked->state);
		if (chunked->extra > HTTP_CHUNKED_EXTRA_MAX)
			return refuse_chunk(
			    chunked, why, 400,
			    "The extensions and trailers of the chunks are too long.");
		if (chunked->left > chunk_max)
			return refuse_chunk(chunked, why, 413, "The body is too large.");
	}
	return HTTP_CHUNKED_MORE;
}
