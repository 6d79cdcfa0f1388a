#include "base/buffer.h"
#include "http/chunked.h"
#include "unit.h"

#define BYTES(text) text, sizeof(text) - 1

enum { CHUNK_MAX = 1000, BODY_MAX = 4096 };

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *body; /* NULL: refused, or not whole */
	int status;       /* of a refusal; 0: it is not whole */
	size_t rest;      /* bytes behind it */
} rows[] = {
	{ "nothing", BYTES("0\r\n\r\n"), "", 0, 0 },
	{ "two chunks", BYTES("1\r\na\r\n00A\r\n0123456789\r\n0\r\n\r\n"), "a0123456789", 0, 0 },
	{ "what follows is another's", BYTES("1\r\na\r\n0\r\n\r\nGET /"), "a", 0, 5 },
	{ "data that looks like an end", BYTES("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), "0\r\n\r\n", 0, 0 },
	{ "extensions", BYTES("1;a=b;c=\"d e\"\r\na\r\n0 \t;x\r\n\r\n"), "a", 0, 0 },
	{ "trailers", BYTES("1\r\na\r\n0\r\ncontent-length: 5\r\nx:\r\n\r\n"), "a", 0, 0 },
	{ "not whole", BYTES("1\r\na\r\n"), NULL, 0, 0 },
	{ "no last line", BYTES("0\r\n"), NULL, 0, 0 },

	{ "no size", BYTES("\r\n"), NULL, 400, 0 },
	{ "a word", BYTES("zz\r\n"), NULL, 400, 0 },
	{ "a negative size", BYTES("-1\r\n"), NULL, 400, 0 },
	{ "0x", BYTES("0x1\r\na\r\n"), NULL, 400, 0 },
	{ "a blank before", BYTES(" 1\r\na\r\n"), NULL, 400, 0 },
	{ "a blank behind", BYTES("1 \r\na\r\n"), NULL, 400, 0 },
	{ "a size beyond all numbers", BYTES("fffffffffffffffff\r\n"), NULL, 413, 0 },
	{ "the largest number", BYTES("ffffffffffffffff\r\n"), NULL, 413, 0 },
	{ "many noughts", BYTES("00000000000000001\r\na\r\n"), NULL, 400, 0 },
	{ "a larger chunk", BYTES("3e9\r\n"), NULL, 413, 0 },
	{ "a size that ends with LF", BYTES("1\na\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ "an extension that ends with LF", BYTES("1;a\na\r\n0\r\n\r\n"), NULL, 400, 0 },
	{ "data that end with LF", BYTES("1\r\na\n0\r\n\r\n"), NULL, 400, 0 },
	{ "a last chunk that ends with LF", BYTES("0\n\r\n"), NULL, 400, 0 },
	{ "an end that is LF", BYTES("0\r\n\n"), NULL, 400, 0 },
	{ "a bare CR behind a size", BYTES("1\ra"), NULL, 400, 0 },
	{ "a bare CR in an extension", BYTES("1;a\rb\r\n"), NULL, 400, 0 },
	{ "NUL in an extension", BYTES("1;a\0\r\n"), NULL, 400, 0 },
	{ "no end of the data", BYTES("1\r\nab\r\n"), NULL, 400, 0 },
	{ "a trailer without a colon", BYTES("0\r\nabc\r\n\r\n"), NULL, 400, 0 },
	{ "a trailer without a name", BYTES("0\r\n: x\r\n\r\n"), NULL, 400, 0 },
	{ "a blank before a trailer's colon", BYTES("0\r\na : x\r\n\r\n"), NULL, 400, 0 },
	{ "a folded trailer", BYTES("0\r\na: x\r\n y\r\n\r\n"), NULL, 400, 0 },
	{ "a trailer that ends with LF", BYTES("0\r\na: x\n\r\n"), NULL, 400, 0 },
};

struct outcome {
	enum http_chunked_result result;
	int status;
	size_t rest;
};

/* Reads `bytes`, a portion at a time. */
static struct outcome read_all(const char *bytes, size_t len, size_t portion, struct buffer *body) {
	struct http_chunked chunked = { 0 };
	struct outcome outcome = { HTTP_CHUNKED_MORE, 0, len };

	while (outcome.rest && outcome.result <= HTTP_CHUNKED_DATA) {
		struct http_portion given = { bytes + len - outcome.rest,
					      MIN(outcome.rest, portion) },
				    out;
		struct http_refusal why = { 0 };
		size_t used;

		outcome.result = http_chunked_read(&chunked, CHUNK_MAX, given, &used, &out, &why);
		if (outcome.result == HTTP_CHUNKED_DATA)
			buffer_append(body, out.bytes, out.len);
		outcome.status = why.status;
		outcome.rest -= used;
	}
	return outcome;
}

static void chunks_are_read_as_the_rows_say(void **state _unused_) {
	static const size_t portions[] = { 1, 2, 7, 1000 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; j < ARRAY_LEN(portions); j++) {
			_cleanup_(buffer_destroy) struct buffer body = BUFFER_INIT(BODY_MAX);
			struct outcome outcome =
			    read_all(rows[i].bytes, rows[i].len, portions[j], &body);
			bool is_whole = outcome.result == HTTP_CHUNKED_END;

			if (is_whole != (rows[i].body != NULL) ||
			    outcome.status != rows[i].status ||
			    (is_whole && outcome.rest != rows[i].rest))
				fail_msg("%s, %zu bytes at a time: %d, status %d, %zu left",
					 rows[i].name, portions[j], outcome.result, outcome.status,
					 outcome.rest);
			if (is_whole)
				assert_string_equal(body.data ? body.data : "", rows[i].body);
		}
	}
}

/* However they are spread over the body. */
static void extensions_and_trailers_have_bounds(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer sent = BUFFER_INIT(1 << 20),
						body = BUFFER_INIT(1 << 20);

	for (int i = 0; i < 1000; i++)
		buffer_append_string(&sent, "1;2345\r\na\r\n");
	assert_int_equal(read_all(sent.data, sent.len, 1 << 20, &body).status, 400);
	buffer_clear(&sent);
	buffer_append_string(&sent, "0\r\n");
	for (int i = 0; i < 1000; i++)
		buffer_append_string(&sent, "abc: def\r\n");
	assert_int_equal(read_all(sent.data, sent.len, 1 << 20, &body).status, 400);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_read_as_the_rows_say),
		cmocka_unit_test(extensions_and_trailers_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
