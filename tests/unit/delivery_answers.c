/* Answers: the result of each, and whether its connection is used again. */
#include "base/clock.h"
#include "delivery_fixture.h"
#include "unit.h"

#define LONG_BODY OK_HEAD "content-length: 1000\r\n\r\nonly this"

static const struct answer_row {
	const char *name;
	enum behaviour behaviour;
	const char *answer;
	enum attempt_reason reason;
	int32_t status;
	int64_t retry_after_ms;
} answer_rows[] = {
	{ "200", BEHAVE_ANSWER, NULL, ATTEMPT_OK, 200, -1 },
	{ "200 with a body", BEHAVE_ANSWER, OK_HEAD "content-length: 5\r\n\r\nhello", ATTEMPT_OK,
	  200, -1 },
	{ "200 chunked, with a trailer", BEHAVE_ANSWER,
	  OK_HEAD "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nretry-after: 7\r\n\r\n",
	  ATTEMPT_OK, 200, -1 },
	{ "200 that ends with the connection", BEHAVE_ANSWER_AND_CLOSE, OK_HEAD "\r\nsome text",
	  ATTEMPT_OK, 200, -1 },
	{ "201", BEHAVE_ANSWER, "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", ATTEMPT_OK,
	  201, -1 },
	{ "204", BEHAVE_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", ATTEMPT_OK, 204, -1 },
	{ "299 without a reason phrase", BEHAVE_ANSWER, "HTTP/1.1 299\r\ncontent-length: 0\r\n\r\n",
	  ATTEMPT_OK, 299, -1 },
	{ "HTTP/1.0", BEHAVE_ANSWER_AND_CLOSE, "HTTP/1.0 200 OK\r\n\r\n", ATTEMPT_OK, 200, -1 },
	{ "103 before 200", BEHAVE_ANSWER,
	  "HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: "
	  "0\r\n\r\n",
	  ATTEMPT_OK, 200, -1 },
	{ "100 before 503", BEHAVE_ANSWER,
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nretry-after: 3\r\ncontent-length: "
	  "0\r\n\r\n",
	  ATTEMPT_STATUS, 503, 3000 },
	{ "301 is not followed", BEHAVE_ANSWER,
	  "HTTP/1.1 301 Moved\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n", ATTEMPT_STATUS,
	  301, -1 },
	{ "308 is not followed", BEHAVE_ANSWER,
	  "HTTP/1.1 308 Moved\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n", ATTEMPT_STATUS,
	  308, -1 },
	{ "401", BEHAVE_ANSWER,
	  "HTTP/1.1 401 No\r\nwww-authenticate: Basic realm=x\r\ncontent-length: 0\r\n\r\n",
	  ATTEMPT_STATUS, 401, -1 },
	{ "410", BEHAVE_ANSWER, "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", ATTEMPT_STATUS,
	  410, -1 },
	{ "429 with seconds", BEHAVE_ANSWER,
	  "HTTP/1.1 429 Slow\r\nRetry-After:  120 \r\ncontent-length: 0\r\n\r\n", ATTEMPT_STATUS,
	  429, 120000 },
	{ "429 with nonsense", BEHAVE_ANSWER,
	  "HTTP/1.1 429 Slow\r\nretry-after: soon\r\ncontent-length: 0\r\n\r\n", ATTEMPT_STATUS,
	  429, -1 },
	{ "500", BEHAVE_ANSWER, "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", ATTEMPT_STATUS, 500,
	  -1 },
	{ "503 without Retry-After", BEHAVE_ANSWER, "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n",
	  ATTEMPT_STATUS, 503, -1 },
	{ "success stays: body cut off", BEHAVE_ANSWER_AND_CLOSE, LONG_BODY, ATTEMPT_OK, 200, -1 },
	{ "success stays: reset in the body", BEHAVE_ANSWER_AND_RESET, LONG_BODY, ATTEMPT_OK, 200,
	  -1 },
	{ "success stays: endless body", BEHAVE_ENDLESS_BODY, OK_HEAD "\r\n", ATTEMPT_OK, 200, -1 },
	{ "success stays: body too slow", BEHAVE_SLOW_BODY, OK_HEAD "\r\n", ATTEMPT_OK, 200, -1 },
	{ "success stays: broken chunks", BEHAVE_ANSWER,
	  OK_HEAD "transfer-encoding: chunked\r\n\r\nzzz\r\n", ATTEMPT_OK, 200, -1 },
	{ "failure stays: endless body", BEHAVE_ENDLESS_BODY, "HTTP/1.1 500 Oh\r\n\r\n",
	  ATTEMPT_STATUS, 500, -1 },
	{ "a gzip body is not unpacked", BEHAVE_ANSWER,
	  OK_HEAD "content-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope", ATTEMPT_OK, 200, -1 },
	{ "hang", BEHAVE_HANG, NULL, ATTEMPT_TIMEOUT, 0, -1 },
	{ "headers that stop", BEHAVE_ANSWER, OK_HEAD "x: y\r\n", ATTEMPT_TIMEOUT, 0, -1 },
	{ "100 and no more", BEHAVE_ANSWER, "HTTP/1.1 100 Continue\r\n\r\n", ATTEMPT_TIMEOUT, 0,
	  -1 },
	{ "closed without an answer", BEHAVE_ANSWER_AND_CLOSE, "", ATTEMPT_CONNECT, 0, -1 },
	{ "reset without an answer", BEHAVE_ANSWER_AND_RESET, "", ATTEMPT_CONNECT, 0, -1 },
	{ "closed within the headers", BEHAVE_ANSWER_AND_CLOSE, OK_HEAD "x: y\r\n",
	  ATTEMPT_PROTOCOL, 0, -1 },
	{ "reset within the headers", BEHAVE_ANSWER_AND_RESET, OK_HEAD "x: y\r\n", ATTEMPT_PROTOCOL,
	  0, -1 },
	{ "not HTTP", BEHAVE_ANSWER_AND_CLOSE, "220 mail.example ESMTP\r\n", ATTEMPT_PROTOCOL, 0,
	  -1 },
	{ "binary", BEHAVE_ANSWER_AND_CLOSE, "\x16\x03\x01\x02\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8",
	  ATTEMPT_PROTOCOL, 0, -1 },
	{ "a version from the future", BEHAVE_ANSWER_AND_CLOSE, "HTTP/9.9 200 OK\r\n\r\n",
	  ATTEMPT_PROTOCOL, 0, -1 },
	{ "a status of letters", BEHAVE_ANSWER_AND_CLOSE, "HTTP/1.1 abc OK\r\n\r\n",
	  ATTEMPT_PROTOCOL, 0, -1 },
	{ "a status of one digit", BEHAVE_ANSWER_AND_CLOSE, "HTTP/1.1 2 OK\r\n\r\n",
	  ATTEMPT_PROTOCOL, 0, -1 },
	{ "headers without end", BEHAVE_ENDLESS_HEADERS, NULL, ATTEMPT_PROTOCOL, 0, -1 },
	{ "a header line without end", BEHAVE_ENDLESS_LINE, NULL, ATTEMPT_PROTOCOL, 0, -1 },
};

static bool lasts(const struct answer_row *row) {
	return row->reason == ATTEMPT_TIMEOUT || row->behaviour == BEHAVE_SLOW_BODY;
}

/* The rows that last until the timeout, which is short for them; or the others, which a busy
 * machine may slow down. */
static void try_answers(struct fixture *f, bool to_the_timeout) {
	start(f);
	for (size_t i = 0; i < ARRAY_LEN(answer_rows); i++) {
		const struct answer_row *row = &answer_rows[i];
		struct receiver *receiver;
		struct attempt_result result;

		if (lasts(row) != to_the_timeout)
			continue;
		receiver = receiver_that(row->behaviour, row->answer);
		result = attempt_at_port(f, receiver_port(receiver));
		if (result.reason != row->reason || result.status != row->status ||
		    result.retry_after_ms != row->retry_after_ms)
			fail_msg("%s: reason %d status %d retry-after %lld", row->name,
				 result.reason, result.status, (long long)result.retry_after_ms);
		if (result.duration_ms > f->config.delivery_timeout_ms + 500 ||
		    llabs(result.finished_at_ms - clock_wall_ms()) > 5000)
			fail_msg("%s: took %lld ms", row->name, (long long)result.duration_ms);
		assert_int_equal(receiver_requests(receiver), 1);
		receiver_free(receiver);
	}
}

static void answers_have_their_result(void **state) {
	struct fixture *f = *state;

	f->config.delivery_timeout_ms = PATIENCE_MS;
	try_answers(f, false);
}

static void answers_that_last_have_their_result(void **state) {
	try_answers(*state, true);
}

/* The connection of an answer that was read to its end is used again, that of another is not. */
static void drained_answers_keep_the_connection(void **state) {
	static const struct {
		const char *name;
		enum behaviour behaviour;
		const char *answer;
		int connections;
	} rows[] = {
		{ "500 with a body", BEHAVE_ANSWER,
		  "HTTP/1.1 500 Oh\r\ncontent-length: 5\r\n\r\nsorry", 1 },
		{ "connection: close", BEHAVE_ANSWER_AND_CLOSE,
		  OK_HEAD "connection: close\r\ncontent-length: 0\r\n\r\n", 3 },
		{ "endless", BEHAVE_ENDLESS_BODY, OK_HEAD "\r\n", 3 },
	};
	struct fixture *f = *state;

	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct receiver *receiver = receiver_that(rows[i].behaviour, rows[i].answer);

		for (int n = 0; n < 3; n++)
			attempt_at_port(f, receiver_port(receiver));
		if (receiver_connections(receiver) != rows[i].connections)
			fail_msg("%s: %d connections", rows[i].name,
				 receiver_connections(receiver));
		receiver_free(receiver);
	}
}

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(answers_have_their_result),
		ENGINE_TEST(answers_that_last_have_their_result),
		ENGINE_TEST(drained_answers_keep_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
