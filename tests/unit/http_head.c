#include "base/memory.h"
#include "http/head.h"
#include "unit.h"

#include <stdio.h>

/* Bytes with NULs in them. */
#define BYTES(text) text, sizeof(text) - 1

struct row {
	const char *name;
	const char *bytes;
	size_t len;
	int status; /* 0: it is taken */
};

#define HOST "host: x\r\n"

static const struct row rows[] = {
	{ "a request", BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"), 0 },
	{ "any token is a method", BYTES("BREW! / HTTP/1.1\r\n" HOST "\r\n"), 0 },
	{ "a higher minor version", BYTES("GET / HTTP/1.9\r\n" HOST "\r\n"), 0 },
	{ "HTTP/1.0 without a host", BYTES("GET / HTTP/1.0\r\n\r\n"), 0 },
	{ "an empty value", BYTES("GET / HTTP/1.1\r\nhost:\r\na:\r\n\r\n"), 0 },
	{ "high bytes in a value", BYTES("GET / HTTP/1.1\r\n" HOST "a: \xff\x80\r\n\r\n"), 0 },
	{ "a tab in a value", BYTES("GET / HTTP/1.1\r\n" HOST "a: b\tc\r\n\r\n"), 0 },
	{ "an address and a port", BYTES("GET / HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n"), 0 },
	{ "OPTIONS *", BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 0 },
	{ "a hundred continue", BYTES("POST / HTTP/1.1\r\n" HOST "expect: 100-Continue\r\n\r\n"),
	  0 },

	{ "no version", BYTES("GET /\r\n" HOST "\r\n"), 400 },
	{ "lower case", BYTES("GET / http/1.1\r\n" HOST "\r\n"), 400 },
	{ "a longer version", BYTES("GET / HTTP/1.10\r\n" HOST "\r\n"), 400 },
	{ "HTTP/2.0", BYTES("GET / HTTP/2.0\r\n" HOST "\r\n"), 505 },
	{ "HTTP/0.9", BYTES("GET / HTTP/0.9\r\n" HOST "\r\n"), 505 },
	{ "HTTP/2's preface", BYTES("PRI * HTTP/2.0\r\n\r\n"), 505 },
	{ "two blanks", BYTES("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a blank behind the version", BYTES("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400 },
	{ "a blank in the target", BYTES("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a tab for a blank", BYTES("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "no method", BYTES(" / HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a method that is no token", BYTES("GE(T / HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "no path", BYTES("GET x HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "an authority", BYTES("CONNECT x:443 HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "GET *", BYTES("GET * HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a fragment", BYTES("GET /#x HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "high bytes in the target", BYTES("GET /\xff HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "NUL in the target", BYTES("GET /v1/events\0/../secret HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a control in the target", BYTES("GET /\x01 HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "user information", BYTES("GET http://a@x/ HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a target without a host", BYTES("GET http:///a HTTP/1.1\r\n" HOST "\r\n"), 400 },

	{ "a blank before the colon",
	  BYTES("POST / HTTP/1.1\r\n" HOST "content-length : 1\r\n\r\n"), 400 },
	{ "a tab before the colon", BYTES("POST / HTTP/1.1\r\n" HOST "content-length\t: 1\r\n\r\n"),
	  400 },
	{ "a folded length", BYTES("POST / HTTP/1.1\r\n" HOST "content-length:\r\n 1\r\n\r\n"),
	  400 },
	{ "a length folded with a tab",
	  BYTES("POST / HTTP/1.1\r\n" HOST "content-length:\r\n\t1\r\n\r\n"), 400 },
	{ "a folded coding",
	  BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding:\r\n chunked\r\n\r\n"), 400 },
	{ "a fold behind the request line", BYTES("GET / HTTP/1.1\r\n " HOST "\r\n"), 400 },
	{ "no name", BYTES("GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n"), 400 },
	{ "NUL for a name", BYTES("GET / HTTP/1.1\r\n" HOST "\0a: x\r\n\r\n"), 400 },
	{ "no colon", BYTES("GET / HTTP/1.1\r\n" HOST "nothing\r\n\r\n"), 400 },
	{ "a name with a high byte", BYTES("GET / HTTP/1.1\r\n" HOST "\xe9: x\r\n\r\n"), 400 },
	{ "NUL in a length", BYTES("POST / HTTP/1.1\r\n" HOST "content-length: 0\0001\r\n\r\n"),
	  400 },
	{ "NUL in a coding",
	  BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked\0x\r\n\r\n"), 400 },
	{ "NUL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "x: a\0b\r\n\r\n"), 400 },
	{ "a bare CR in a value",
	  BYTES("GET / HTTP/1.1\r\n" HOST "x: y\rcontent-length: 1\r\n\r\n"), 400 },
	{ "a bare LF", BYTES("GET / HTTP/1.1\n" HOST "\r\n"), 400 },
	{ "a bare LF at the end", BYTES("GET / HTTP/1.1\r\n" HOST "\n"), 400 },
	{ "DEL in a value", BYTES("GET / HTTP/1.1\r\n" HOST "x: \x7f\r\n\r\n"), 400 },
	{ "an empty line first", BYTES("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ "a handshake of TLS", BYTES("\x16\x03\x01\x02\x00\x01"), 400 },

	{ "no host", BYTES("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ "two hosts", BYTES("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400 },
	{ "two hosts of HTTP/1.0", BYTES("GET / HTTP/1.0\r\n" HOST HOST "\r\n"), 400 },
	{ "no host but the target's", BYTES("GET http://x/ HTTP/1.1\r\n\r\n"), 400 },
	{ "a host that is none", BYTES("GET / HTTP/1.1\r\nhost: a/b\r\n\r\n"), 400 },
	{ "a list of hosts", BYTES("GET / HTTP/1.1\r\nhost: a, b\r\n\r\n"), 400 },
	{ "a port that is none", BYTES("GET / HTTP/1.1\r\nhost: a:b\r\n\r\n"), 400 },

	{ "a length and a coding",
	  BYTES("POST / HTTP/1.1\r\n" HOST
		"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"),
	  400 },
	{ "a coding and a length",
	  BYTES("POST / HTTP/1.1\r\n" HOST
		"transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n"),
	  400 },
	{ "two lengths",
	  BYTES("POST / HTTP/1.1\r\n" HOST "content-length: 1\r\ncontent-length: 1\r\n\r\n"), 400 },
	{ "a list of lengths", BYTES("POST / HTTP/1.1\r\n" HOST "content-length: 1, 1\r\n\r\n"),
	  400 },
	{ "a length with a plus", BYTES("POST / HTTP/1.1\r\n" HOST "content-length: +1\r\n\r\n"),
	  400 },
	{ "a negative length", BYTES("POST / HTTP/1.1\r\n" HOST "content-length: -1\r\n\r\n"),
	  400 },
	{ "a length in hex", BYTES("POST / HTTP/1.1\r\n" HOST "content-length: 0x1\r\n\r\n"), 400 },
	{ "an empty length", BYTES("POST / HTTP/1.1\r\n" HOST "content-length:\r\n\r\n"), 400 },
	{ "a length beyond all numbers",
	  BYTES("POST / HTTP/1.1\r\n" HOST "content-length: 99999999999999999999\r\n\r\n"), 413 },
	{ "another coding", BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding: gzip\r\n\r\n"),
	  400 },
	{ "another coding first",
	  BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding: gzip, chunked\r\n\r\n"), 501 },
	{ "another coding last",
	  BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked, gzip\r\n\r\n"), 400 },
	{ "chunked twice",
	  BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding: chunked, chunked\r\n\r\n"), 400 },
	{ "two codings",
	  BYTES("POST / HTTP/1.1\r\n" HOST
		"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n"),
	  400 },
	{ "a coding with a vertical tab",
	  BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding: \vchunked\r\n\r\n"), 400 },
	{ "an empty coding", BYTES("POST / HTTP/1.1\r\n" HOST "transfer-encoding:\r\n\r\n"), 400 },
	{ "a coding of HTTP/1.0", BYTES("POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n"),
	  400 },
	{ "another expectation", BYTES("POST / HTTP/1.1\r\n" HOST "expect: tea\r\n\r\n"), 417 },
};

/* The status of the refusal; 0: accepted, -1: not whole. The result does not depend on the
 * portions. */
static int read_head(const char *bytes, size_t len, size_t portion, struct http_head *head,
		     char *copy) {
	struct http_refusal why = { 0 };
	size_t scanned = 0, given = 0;
	ssize_t found = 0;

	memcpy(copy, bytes, len);
	while (!found && given < len) {
		given = MIN(given + portion, len);
		found = http_head_find(copy, given, &scanned, &why);
	}
	if (found < 0)
		return why.status;
	if (!found)
		return -1;
	return http_head_parse(copy, (size_t)found, head, &why) ? why.status : 0;
}

static void heads_are_parsed_as_the_rows_say(void **state _unused_) {
	static const size_t portions[] = { 1, 3, 100000 };
	struct http_head head;
	char copy[512];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; j < ARRAY_LEN(portions); j++) {
			int status =
			    read_head(rows[i].bytes, rows[i].len, portions[j], &head, copy);

			if (status != rows[i].status)
				fail_msg("%s, %zu bytes at a time: %d", rows[i].name, portions[j],
					 status);
		}
	}
}

static const struct {
	const char *target, *host; /* as they are sent */
	const char *path, *query, *shown;
} targets[] = {
	{ "/a", "X", "/a", NULL, "x" },
	{ "/a?b?c", "x:80", "/a", "b?c", "x" },
	{ "/?", "x", "/", "", "x" },
	{ "//a", "x.", "//a", NULL, "x" },
	{ "/%2e%2E", "A.Example.:443", "/%2e%2E", NULL, "a.example" },
	{ "http://evil.example/a?b", "acme", "/a", "b", "evil.example" },
	{ "HTTPS://Evil.Example:1/", "acme", "/", NULL, "evil.example" },
	{ "http://evil", "acme", "/", NULL, "evil" },
	{ "http://evil?a", "acme", "/", "a", "evil" },
	{ "http://[::A]:1/", "acme", "/", NULL, "[::a]" },
	{ "/", "", "/", NULL, "" },
};

static void targets_are_parsed_as_the_rows_say(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct http_head head;
		char text[256], copy[256];

		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nhost: %s\r\n\r\n",
			 targets[i].target, targets[i].host);
		if (read_head(text, strlen(text), 1000, &head, copy))
			fail_msg("%s of %s is refused", targets[i].target, targets[i].host);
		assert_string_equal(head.path, targets[i].path);
		assert_string_equal(head.host, targets[i].shown);
		assert_string_equal(head.query ? head.query : "none",
				    targets[i].query ? targets[i].query : "none");
	}
}

/* Blanks around a value are no part of it. */
static void values_lose_the_blanks_around_them(void **state _unused_) {
	static const char text[] = "POST / HTTP/1.1\r\nHost:x\r\ncontent-length: \t70 \t\r\nA: "
				   "b\r\na:  c d\t \r\nconnection: keep-alive, Close\r\n\r\n";
	struct http_head head;
	char copy[sizeof(text)];

	assert_int_equal(read_head(text, sizeof(text) - 1, 1000, &head, copy), 0);
	assert_string_equal(head.method, "POST");
	assert_int_equal(head.content_length, 70);
	assert_int_equal(head.framing, HTTP_FRAMING_LENGTH);
	assert_string_equal(http_head_field(&head, "A"), "b");
	assert_int_equal(http_head_field_count(&head, "a"), 2);
	assert_string_equal(head.fields[3].value, "c d");
	assert_null(http_head_field(&head, "b"));
	assert_true(head.closes && !head.expects_continue);
}

/* The longest that are taken, and one more. */
static int read_long(size_t target_len, size_t parameters, size_t fields, size_t value_len) {
	static char text[4 * HTTP_HEAD_MAX], copy[sizeof(text)];
	struct http_head head;
	char *p = stpcpy(text, "GET /");

	for (size_t i = 1; i < target_len; i++)
		*p++ = 'a';
	for (size_t i = 0; i < parameters; i++)
		*p++ = i ? '&' : '?';
	p = stpcpy(p, " HTTP/1.1\r\nhost: x\r\n");
	for (size_t i = 1; i < fields; i++)
		p = stpcpy(p, "a: b\r\n");
	if (value_len) {
		p = stpcpy(p, "a: ");
		memset(p, 'b', value_len);
		p = stpcpy(p + value_len, "\r\n");
	}
	p = stpcpy(p, "\r\n");
	return read_head(text, (size_t)(p - text), 1 << 20, &head, copy);
}

static void a_head_has_bounds(void **state _unused_) {
	assert_int_equal(read_long(HTTP_TARGET_MAX - 1, 0, 1, 0), 0);
	assert_int_equal(read_long(HTTP_TARGET_MAX, 0, 1, 0), 414);
	assert_int_equal(read_long(2 * HTTP_HEAD_MAX, 0, 1, 0), 414);
	assert_int_equal(read_long(1, HTTP_PARAMETERS_MAX, 1, 0), 0);
	assert_int_equal(read_long(1, HTTP_PARAMETERS_MAX + 1, 1, 0), 414);
	assert_int_equal(read_long(1, 0, HTTP_FIELDS_MAX, 0), 0);
	assert_int_equal(read_long(1, 0, HTTP_FIELDS_MAX + 1, 0), 431);
	assert_int_equal(
	    read_long(1, 0, 1, HTTP_HEAD_MAX - sizeof("GET / HTTP/1.1\r\nhost: x\r\na: \r\n\r\n")),
	    0);
	assert_int_equal(read_long(1, 0, 1, HTTP_HEAD_MAX), 431);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_parsed_as_the_rows_say),
		cmocka_unit_test(targets_are_parsed_as_the_rows_say),
		cmocka_unit_test(values_lose_the_blanks_around_them),
		cmocka_unit_test(a_head_has_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
