/*
 * A body in chunks: whatever the pieces it comes in, the result, the bytes and the end are the
 * same; and it has an end where, and only where, a reader of the whole that follows the grammar
 * finds one.
 */
#include "fuzz.h"
#include "http/chunked.h"

#include <ctype.h>

enum { CHUNK_MAX = 1000, BODY_MAX = 16 * 1024 * 1024 };

struct outcome {
	enum http_chunked_result result;
	size_t used;
	struct buffer body;
};

/* In pieces of at most `piece` bytes. */
static void read_pieces(const uint8_t *data, size_t size, size_t piece, struct outcome *out) {
	struct http_chunked chunked = { 0 };

	*out = (struct outcome){ .result = HTTP_CHUNKED_MORE, .body = BUFFER_INIT(BODY_MAX) };
	while (out->used < size) {
		size_t len = MIN(piece, size - out->used);
		/* Each in memory of its own, so that a byte past it is seen. */
		_cleanup_(x_freep) char *copy = memcpy(x_malloc(len), data + out->used, len);
		struct http_portion bytes = { copy, len }, portion = { 0 };
		struct http_refusal why = { 0 };
		size_t used = 0;

		out->result = http_chunked_read(&chunked, CHUNK_MAX, bytes, &used, &portion, &why);
		CHECK(used <= bytes.len);
		out->used += used;
		if (out->result == HTTP_CHUNKED_REFUSED) {
			CHECK((why.status == 400 || why.status == 413) && *why.message);
			return;
		}
		if (out->result == HTTP_CHUNKED_END)
			return;
		if (out->result == HTTP_CHUNKED_MORE) {
			CHECK(used == bytes.len);
			continue;
		}
		CHECK(portion.len && portion.bytes >= bytes.bytes &&
		      portion.bytes + portion.len <= bytes.bytes + used);
		buffer_append(&out->body, portion.bytes, portion.len);
		out->result = HTTP_CHUNKED_MORE;
	}
}

/* --- The grammar of RFC 9112 section 7.1, over the whole --- */

static bool is_text(uint8_t c) {
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static const char token[] =
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool take_line_end(struct fuzz_input *input) {
	if (input->end - input->at < 2 || input->at[0] != '\r' || input->at[1] != '\n')
		return false;
	input->at += 2;
	return true;
}

static void skip_text(struct fuzz_input *input) {
	while (input->at < input->end && is_text(*input->at))
		input->at++;
}

/* chunk-size [ chunk-ext ] CRLF. `*extra` grows by what stands between. */
static bool take_size(struct fuzz_input *input, uint64_t *size, size_t *extra) {
	const uint8_t *start = input->at, *behind;
	char digits[17] = "";

	while (input->at < input->end && isxdigit(*input->at))
		input->at++;
	if (input->at == start || input->at - start > 16)
		return false;
	memcpy(digits, start, (size_t)(input->at - start));
	*size = strtoull(digits, NULL, 16);
	behind = input->at;
	while (input->at < input->end && (*input->at == ' ' || *input->at == '\t'))
		input->at++;
	if (input->at < input->end && *input->at == ';')
		skip_text(input);
	else if (input->at != behind)
		return false;
	*extra += (size_t)(input->at - behind);
	return take_line_end(input);
}

/* field-name ":" field-value CRLF. */
static bool take_trailer(struct fuzz_input *input, size_t *extra) {
	const uint8_t *start = input->at;

	while (input->at < input->end && *input->at && strchr(token, *input->at))
		input->at++;
	if (input->at == start || input->at == input->end || *input->at != ':')
		return false;
	skip_text(input);
	*extra += (size_t)(input->at - start);
	return take_line_end(input);
}

/* Whether there is a whole body at the beginning. */
static bool read_whole(struct fuzz_input *input, struct buffer *body) {
	size_t extra = 0;

	for (;;) {
		uint64_t size;

		if (!take_size(input, &size, &extra) || size > CHUNK_MAX ||
		    extra > HTTP_CHUNKED_EXTRA_MAX)
			return false;
		if (!size)
			break;
		if ((uint64_t)(input->end - input->at) < size)
			return false;
		buffer_append(body, input->at, size);
		input->at += size;
		if (!take_line_end(input))
			return false;
	}
	while (!take_line_end(input))
		if (!take_trailer(input, &extra) || extra > HTTP_CHUNKED_EXTRA_MAX)
			return false;
	return true;
}

static bool is_same_body(const struct buffer *a, const struct buffer *b) {
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const size_t pieces[] = { 1, 2, 7 };
	_cleanup_(buffer_destroy) struct buffer body = BUFFER_INIT(BODY_MAX);
	struct fuzz_input input = FUZZ_INPUT(data, size);
	bool is_whole = read_whole(&input, &body);
	struct outcome all, other;

	read_pieces(data, size, size, &all);
	CHECK((all.result == HTTP_CHUNKED_END) == is_whole);
	if (is_whole)
		CHECK(all.used == (size_t)(input.at - data) && is_same_body(&all.body, &body));
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		read_pieces(data, size, pieces[i], &other);
		CHECK(other.result == all.result && other.used == all.used &&
		      is_same_body(&other.body, &all.body));
		buffer_destroy(&other.body);
	}
	buffer_destroy(&all.body);
	return 0;
}
