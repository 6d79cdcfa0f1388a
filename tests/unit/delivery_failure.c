/* The meaning of curl's errors for an attempt, and the kept part of a response. */
#include "base/memory.h"
#include "delivery/failure.h"
#include "delivery/response.h"
#include "unit.h"

#include <stdio.h>

static const struct {
	const char *name;
	struct failure failure;
	enum attempt_reason reason;
} code_rows[] = {
	{ "out of time", { .code = CURLE_OPERATION_TIMEDOUT }, ATTEMPT_TIMEOUT },
	{ "out of time, in an answer",
	  { .code = CURLE_OPERATION_TIMEDOUT, .has_bytes = true, .has_lines = true },
	  ATTEMPT_TIMEOUT },
	{ "out of time, one address refused",
	  { .code = CURLE_OPERATION_TIMEDOUT, .is_refused = true },
	  ATTEMPT_TIMEOUT },
	{ "no such name", { .code = CURLE_COULDNT_RESOLVE_HOST }, ATTEMPT_DNS },
	{ "no thread for a name",
	  { .code = CURLE_COULDNT_RESOLVE_HOST, .is_out_of_means = true },
	  ATTEMPT_INTERNAL },
	{ "not connected", { .code = CURLE_COULDNT_CONNECT }, ATTEMPT_CONNECT },
	{ "not connected, address refused",
	  { .code = CURLE_COULDNT_CONNECT, .is_refused = true },
	  ATTEMPT_ADDRESS_REFUSED },
	{ "not connected, no descriptor",
	  { .code = CURLE_COULDNT_CONNECT, .is_out_of_means = true },
	  ATTEMPT_INTERNAL },
	{ "ended unanswered", { .code = CURLE_GOT_NOTHING }, ATTEMPT_CONNECT },
	{ "ended unanswered, and the end was read",
	  { .code = CURLE_GOT_NOTHING, .has_bytes = true },
	  ATTEMPT_CONNECT },
	{ "broken while we sent", { .code = CURLE_SEND_ERROR }, ATTEMPT_CONNECT },
	{ "broken while we read", { .code = CURLE_RECV_ERROR }, ATTEMPT_CONNECT },
	{ "broken in the answer",
	  { .code = CURLE_RECV_ERROR, .has_bytes = true, .has_lines = true },
	  ATTEMPT_PROTOCOL },
	{ "alert while we sent", { .code = CURLE_SEND_ERROR, .has_alert = true }, ATTEMPT_TLS },
	{ "alert while we read", { .code = CURLE_RECV_ERROR, .has_alert = true }, ATTEMPT_TLS },
	{ "alert, then an end", { .code = CURLE_GOT_NOTHING, .has_alert = true }, ATTEMPT_TLS },
	{ "alert in the answer",
	  { .code = CURLE_RECV_ERROR, .has_bytes = true, .has_lines = true, .has_alert = true },
	  ATTEMPT_TLS },
	{ "no handshake", { .code = CURLE_SSL_CONNECT_ERROR }, ATTEMPT_TLS },
	{ "not trusted", { .code = CURLE_PEER_FAILED_VERIFICATION }, ATTEMPT_TLS },
	{ "ended within the headers",
	  { .code = CURLE_OK, .has_bytes = true, .has_lines = true },
	  ATTEMPT_PROTOCOL },
	{ "not HTTP", { .code = CURLE_WEIRD_SERVER_REPLY, .has_bytes = true }, ATTEMPT_PROTOCOL },
	{ "stopped by us",
	  { .code = CURLE_WRITE_ERROR, .has_bytes = true, .has_lines = true },
	  ATTEMPT_PROTOCOL },
	{ "too many headers",
	  { .code = CURLE_WRITE_ERROR, .is_excessive = true },
	  ATTEMPT_PROTOCOL },
	{ "no memory", { .code = CURLE_OUT_OF_MEMORY }, ATTEMPT_INTERNAL },
	{ "a header line that is too long",
	  { .code = CURLE_OUT_OF_MEMORY, .has_bytes = true },
	  ATTEMPT_PROTOCOL },
	{ "http is not allowed", { .code = CURLE_UNSUPPORTED_PROTOCOL }, ATTEMPT_ADDRESS_REFUSED },
	{ "HTTP/0.9, libcurl 7.88",
	  { .code = CURLE_UNSUPPORTED_PROTOCOL, .is_sent = true, .has_bytes = true },
	  ATTEMPT_PROTOCOL },
	{ "HTTP/0.9, libcurl 8.14",
	  { .code = CURLE_UNSUPPORTED_PROTOCOL, .is_sent = true },
	  ATTEMPT_PROTOCOL },
	{ "no handle", { .code = CURLE_FAILED_INIT }, ATTEMPT_INTERNAL },
	{ "not begun, address refused",
	  { .code = CURLE_FAILED_INIT, .is_refused = true },
	  ATTEMPT_ADDRESS_REFUSED },
	{ "no thread for the proxy's name",
	  { .code = CURLE_COULDNT_RESOLVE_PROXY, .by_proxy = true, .is_out_of_means = true },
	  ATTEMPT_INTERNAL },
	{ "no descriptor for the proxy",
	  { .code = CURLE_COULDNT_CONNECT, .by_proxy = true, .is_out_of_means = true },
	  ATTEMPT_INTERNAL },
	{ "ended in a tunnel, before the request",
	  { .code = CURLE_RECV_ERROR, .by_proxy = true, .tunnel_status = 200 },
	  ATTEMPT_PROXY_BROKEN },
	{ "ended in a tunnel, after the request",
	  { .code = CURLE_GOT_NOTHING, .by_proxy = true, .is_sent = true },
	  ATTEMPT_PROXY_BROKEN },
	{ "ended in a tunnel, with an alert",
	  { .code = CURLE_RECV_ERROR, .by_proxy = true, .is_sent = true, .has_alert = true },
	  ATTEMPT_TLS },
	{ "ended in a tunnel, in the answer",
	  { .code = CURLE_RECV_ERROR, .by_proxy = true, .is_sent = true, .has_lines = true },
	  ATTEMPT_PROTOCOL },
	{ "too many headers through a proxy",
	  { .code = CURLE_WRITE_ERROR, .by_proxy = true, .is_excessive = true },
	  ATTEMPT_PROTOCOL },
	{ "no authorities", { .code = CURLE_SSL_CACERT_BADFILE }, ATTEMPT_INTERNAL },
};

static void curls_codes_have_their_reason(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(code_rows); i++)
		if (failure_reason(&code_rows[i].failure) != code_rows[i].reason)
			fail_msg("%s: %d", code_rows[i].name,
				 failure_reason(&code_rows[i].failure));
}

static bool take(struct response *response, const char *line) {
	return response_take_header(response, line, strlen(line));
}

static void retry_after_is_read_as_the_rfc_says(void **state _unused_) {
	static const struct {
		const char *line;
		int64_t expected_ms;
	} rows[] = {
		{ "Retry-After: 5\r\n", 5000 },
		{ "RETRY-AFTER:5\r\n", 5000 },
		{ "retry-after: \t 5 \t\r\n", 5000 },
		{ "retry-after: 5\n", 5000 },
		{ "retry-after: 0\r\n", 0 },
		{ "retry-after:\r\n", -1 },
		{ "retry-after: -5\r\n", -1 },
		{ "retry-after: soon\r\n", -1 },
		{ "x-retry-after: 5\r\n", -1 },
		{ "retry-after : 5\r\n", -1 },
		{ "retry-after", -1 },
		{ "retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct response response = RESPONSE_INIT;

		assert_true(take(&response, "HTTP/1.1 503 No\r\n"));
		assert_true(take(&response, rows[i].line));
		if (response.retry_after_ms != rows[i].expected_ms)
			fail_msg("%s: %lld", rows[i].line, (long long)response.retry_after_ms);
	}
}

static void headers_have_limits(void **state _unused_) {
	struct response response = RESPONSE_INIT;
	static const char body[RESPONSE_BODY_BYTES_MAX];
	char line[8192];

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < RESPONSE_HEADER_LINES_MAX; i++)
		assert_true(take(&response, "x: y\r\n"));
	assert_false(take(&response, "x: y\r\n"));
	assert_true(response.excessive);

	response = RESPONSE_INIT;
	for (size_t i = 0; i < RESPONSE_HEADER_BYTES_MAX / sizeof(line); i++)
		assert_true(response_take_header(&response, line, sizeof(line)));
	assert_false(response_take_header(&response, line, 1));

	response = RESPONSE_INIT;
	assert_true(response_take_body(&response, body, RESPONSE_BODY_BYTES_MAX));
	assert_false(response_take_body(&response, body, 1));
	response_destroy(&response);
}

static void an_excerpt_is_text(void **state _unused_) {
	static const struct {
		int32_t status;
		const char *first, *second, *expected; /* NULL: none */
	} rows[] = {
		{ 500, "out of ", "order", "out of order" },
		{ 500, "a\n\x1b[2J", "", "a\\u000a\\u001b[2J" },
		{ 500, "123456789012345", "6789", "1234567890123456" },
		{ 500, "12345678901234\xc3\xa9", "cut", "12345678901234\xc3\xa9" },
		{ 500, "123456789012345\xc3", "\xa9", "123456789012345" },
		{ 500, "\x1f\x8b\x08 gzip", "", NULL },
		{ 500, "half of one \xc3", "", NULL },
		{ 500, "", "", NULL },
		{ 200, "fine", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(response_destroy) struct response response = RESPONSE_INIT;
		_cleanup_(x_freep) char *excerpt = NULL;

		response_reset(&response, 16);
		assert_true(response_end_header(&response, rows[i].status, 1));
		assert_true(response_take_body(&response, rows[i].first, strlen(rows[i].first)));
		assert_true(response_take_body(&response, rows[i].second, strlen(rows[i].second)));
		excerpt = response_excerpt(&response);
		if (rows[i].expected)
			assert_string_equal(excerpt, rows[i].expected);
		else
			assert_null(excerpt);
	}
}

static void an_interim_answer_is_no_verdict(void **state _unused_) {
	struct response response = RESPONSE_INIT;

	assert_true(response_end_header(&response, 103, 1));
	assert_int_equal(response.status, 0);
	assert_false(response_end_header(&response, 101, 1));
	assert_int_equal(response.status, 0);
	assert_true(response_end_header(&response, 204, 2));
	assert_true(response_end_header(&response, 500, 3));
	assert_true(take(&response, "retry-after: 5\r\n")); /* a trailer */
	assert_int_equal(response.status, 204);
	assert_int_equal(response.completed_us, 2);
	assert_int_equal(response.retry_after_ms, -1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curls_codes_have_their_reason),
		cmocka_unit_test(retry_after_is_read_as_the_rfc_says),
		cmocka_unit_test(headers_have_limits),
		cmocka_unit_test(an_excerpt_is_text),
		cmocka_unit_test(an_interim_answer_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
