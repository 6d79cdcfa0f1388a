/* The engine against real receivers on loopback. */
#include "base/clock.h"
#include "delivery/scheduler.h"
#include "delivery_fixture.h"
#include "signature/callback.h"
#include "unit.h"

#include <stdio.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

/* After what it needs of the standard headers. */

/* --- what is sent --- */

static void an_endpoint_keeps_its_connection(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);

	start(f);
	for (int i = 0; i < 50; i++)
		assert_int_equal(attempt_at_port(f, receiver_port(receiver)).reason, ATTEMPT_OK);
	assert_int_equal(receiver_requests(receiver), 50);
	assert_int_equal(receiver_connections(receiver), 1);
	assert_int_equal(engine_counters(f->engine)->connections_opened, 1);
	assert_int_equal(engine_counters(f->engine)->connections, 1);
	assert_int_equal(engine_counters(f->engine)->attempts[ATTEMPT_OK], 50);
	receiver_free(receiver);
}

static const char *header_value(const char *request, const char *name) {
	static char value[512];
	size_t len = strlen(name);

	for (const char *line = strstr(request, "\r\n") + 2; *line != '\r';
	     line = strstr(line, "\r\n") + 2) {
		if (strncasecmp(line, name, len) || line[len] != ':')
			continue;
		snprintf(value, sizeof(value), "%.*s",
			 (int)(strstr(line, "\r\n") - line - (int)len - 2), line + len + 2);
		return value;
	}
	return NULL;
}

/* Signing again for the same second must give the lines that were sent: Ed25519 is deterministic.
 */
static void assert_signed(struct fixture *f, const struct route *route, const char *request) {
	struct callback_headers headers;
	struct callback callback = {
		.authority = route->parts.authority,
		.path = route->parts.path,
		.query = route->parts.query,
		.content_type = "application/json",
		.delivery_id = "dd110000-0000-0000-0000-000000000001",
		.timestamp_s = atoll(header_value(request, "webhook-timestamp")),
		.body = body_text,
		.body_len = body_text_len,
	};
	char line[1024];

	callback_headers_init(&headers);
	callback_sign(&headers, f->signer, f->config.signature_formats, &callback);
	assert_int_equal(headers.count, 6);
	for (size_t i = 0; i < headers.count; i++) {
		snprintf(line, sizeof(line), "\r\n%s\r\n", headers.lines[i]);
		assert_non_null(strstr(request, line));
	}
	callback_headers_destroy(&headers);
}

static void assert_request(struct fixture *f, struct receiver *receiver,
			   const struct route *route) {
	size_t len;
	_cleanup_(x_freep) char *request = receiver_last_request(receiver, &len);
	const char *body = strstr(request, "\r\n\r\n") + 4;
	char first_line[512];

	snprintf(first_line, sizeof(first_line), "POST %s%s HTTP/1.1\r\n", route->parts.path,
		 route->parts.query ? route->parts.query : "");
	assert_memory_equal(request, first_line, strlen(first_line));
	assert_string_equal(header_value(request, "host"), route->parts.authority);
	assert_string_equal(header_value(request, "content-type"), "application/json");
	assert_string_equal(header_value(request, "user-agent"), "posthorn/0.0.0-test");
	assert_string_equal(header_value(request, "traceparent"),
			    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	assert_null(header_value(request, "expect"));
	assert_null(header_value(request, "accept-encoding"));
	assert_signed(f, route, request);
	assert_int_equal(len - (size_t)(body - request), body_text_len);
	assert_string_equal(body, body_text);
}

static void the_signed_request_is_the_sent_one(void **state) {
	static const char *const rows[] = {
		"http://127.0.0.1:%u/",
		"http://127.0.0.1:%u/hook?a=1&b=2",
		"http://127.0.0.1:%u/a%%20b/%%C3%%84?q=%%27%%7B%%7C%%7D%%5E%%60",
		"http://127.0.0.1:%u/%%2F/%%2E%%2E.../a//b/;x=1,2/@:!$&()*+=~-._",
		"http://127.0.0.1:%u/hook?url=https://other.example/?x=%%23&y=/../",
		"http://example.test:%u/hook",
		"http://xn--bcher-kva.test:%u/hook",
		"http://a-b.1.example.test:%u/h?%%00",
		"http://dot.test.:%u/hook",
	};
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);

	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct route *route;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		route = route_to(f, (int)i, arena_printf(arena, rows[i], receiver_port(receiver)));
#pragma GCC diagnostic pop
		assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
		assert_request(f, receiver, route);
		route_unref(route);
	}
	receiver_free(receiver);
}

/* The root's dot is the url's, in Host as in what is signed, but no part of the name that a
 * certificate is for. Source: RFC 6066 section 3. */
static void the_dot_behind_a_name_is_not_part_of_its_certificate(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver =
	    receiver_new(&(struct receiver_options){ .tls = &(struct tls_server_options){ 0 } });
	_cleanup_(x_freep) char *url =
	    x_asprintf("https://dot.test.:%u/hook", receiver_port(receiver));
	_cleanup_(route_unrefp) struct route *route = route_to(f, 1, url);
	_cleanup_(x_freep) char *name = NULL;

	f->config.endpoint_ca_file = tls_authority_file();
	start(f);
	assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
	assert_request(f, receiver, route);
	assert_memory_equal(route->parts.authority, "dot.test.:", 10);
	name = receiver_last_server_name(receiver);
	assert_string_equal(name, "dot.test");
	receiver_free(receiver);
}

static void the_largest_body_is_sent(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);
	struct route *route = route_to_port(f, 1, receiver_port(receiver));
	_cleanup_(x_freep) char *body = x_malloc(DELIVERY_BODY_MAX);
	struct delivery delivery = { .webhook_id = route->webhook_id,
				     .tenant_id = "t",
				     .command_id = "c",
				     .traceparent = "00-evil\r\nx-injected: 1",
				     .body = body,
				     .body_len = DELIVERY_BODY_MAX };
	_cleanup_(x_freep) char *request = NULL;
	struct job *job;
	size_t len;

	memset(body, 'x', DELIVERY_BODY_MAX);
	start(f);
	engine_submit(f->engine, job_new(&delivery, route, PARTITION, EPOCH));
	job = next_ended(f);
	assert_int_equal(job->result.reason, ATTEMPT_OK);
	request = receiver_last_request(receiver, &len);
	assert_null(header_value(request, "x-injected"));
	assert_null(header_value(request, "traceparent"));
	assert_memory_equal(request + len - DELIVERY_BODY_MAX, body, DELIVERY_BODY_MAX);
	job_free(job);
	route_unref(route);
	receiver_free(receiver);
}

/* --- what comes back --- */

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
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

/* --- what does not get there --- */

static void failures_before_the_answer_have_their_reason(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_SPEAK_FIRST, "HTTP/1.1 400 No\r\n\r\n");
	char tls_url[64], refused_url[64], private_url[64];
	struct {
		const char *url;
		enum attempt_reason reason;
	} rows[] = {
		{ refused_url, ATTEMPT_CONNECT },
		{ tls_url, ATTEMPT_TLS },
		{ "http://none.test/hook", ATTEMPT_DNS },
		{ "http://slow.test/hook", ATTEMPT_TIMEOUT },
		{ "http://inside.test/hook", ATTEMPT_ADDRESS_REFUSED },
		{ private_url, ATTEMPT_ADDRESS_REFUSED },
	};

	snprintf(refused_url, sizeof(refused_url), "http://127.0.0.1:%u/", receiver_unused_port());
	snprintf(tls_url, sizeof(tls_url), "https://127.0.0.1:%u/", receiver_port(receiver));
	snprintf(private_url, sizeof(private_url), "http://[::1]:%u/", receiver_port(receiver));
	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(route_unrefp) struct route *route = route_to(f, 1, rows[i].url);
		struct attempt_result result = attempt(f, route);

		if (result.reason != rows[i].reason || result.status || result.retry_after_ms != -1)
			fail_msg("%s: reason %d status %d", rows[i].url, result.reason,
				 result.status);
	}
	receiver_free(receiver);
}

static void http_needs_its_option(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);

	f->config.endpoint_allow_http = false;
	start(f);
	assert_int_equal(attempt_at_port(f, receiver_port(receiver)).reason,
			 ATTEMPT_ADDRESS_REFUSED);
	assert_int_equal(receiver_connections(receiver), 0);
	receiver_free(receiver);
}

/* --- who waits for whom --- */

static void a_hanging_endpoint_holds_up_no_other(void **state) {
	struct fixture *f = *state;
	struct receiver *hanging = receiver_that(BEHAVE_HANG, NULL),
			*well = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(route_unrefp) struct route *bad = route_to_port(f, 1, receiver_port(hanging));
	_cleanup_(route_unrefp) struct route *good = route_to_port(f, 2, receiver_port(well));
	int64_t began;

	f->config.delivery_threads = 1;
	f->config.delivery_max_in_flight = 128;
	start(f);
	submit(f, bad, 100);
	wait_until(receiver_requests, hanging, 64);
	began = clock_monotonic_ms();
	for (int i = 0; i < 100; i++)
		assert_int_equal(attempt(f, good).reason, ATTEMPT_OK);
	assert_true(clock_monotonic_ms() - began < TIMEOUT_MS);
	for (int i = 0; i < 100; i++) {
		struct job *job = next_ended(f);

		assert_int_equal(job->result.reason, ATTEMPT_TIMEOUT);
		job_free(job);
	}
	receiver_free(hanging);
	receiver_free(well);
}

/*
 * A resolver that does not answer must not stop the thread, neither while it is asked nor when it
 * is given up; and a name is asked for a few times at once, not once for every delivery.
 */
static void a_slow_name_holds_up_no_other(void **state) {
	struct fixture *f = *state;
	struct receiver *well = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(route_unrefp) struct route *bad = route_to(f, 1, "http://slow.test/");
	_cleanup_(route_unrefp) struct route *good = route_to_port(f, 2, receiver_port(well));
	int ends[ATTEMPT_REASON_COUNT] = { 0 };
	int64_t began = clock_monotonic_ms(), slowest = 0;

	f->config.delivery_threads = 1;
	f->config.delivery_timeout_ms = f->config.delivery_connect_timeout_ms =
	    SLOW_NAME_TIMEOUT_MS;
	atomic_store(&slow_lookups, 0);
	start(f);
	submit(f, bad, 20);
	while (!ends[ATTEMPT_TIMEOUT]) {
		int64_t asked = clock_monotonic_ms();
		struct job *job;

		submit(f, good, 1);
		do {
			job = next_ended(f);
			ends[job->result.reason]++;
			job_free(job);
		} while (!ends[ATTEMPT_OK] && !ends[ATTEMPT_TIMEOUT]);
		slowest = MAX(slowest, clock_monotonic_ms() - asked);
		/* Those that time out make room for others, perhaps before they are seen here. */
		if (clock_monotonic_ms() - began < SLOW_NAME_TIMEOUT_MS / 2)
			assert_in_range(atomic_load(&slow_lookups), 0,
					SCHEDULER_UNRESOLVED_PER_HOST_MAX);
		ends[ATTEMPT_OK] = 0;
		assert_true(clock_monotonic_ms() - began < 1900);
	}
	assert_true(slowest < 500);
	receiver_free(well);
}

/* Waits for `bound` requests, gives a possible further one its time, lets go, and expects all. */
static void expect_bound(struct fixture *f, struct receiver *receiver, int jobs, int bound) {
	int attempted = 0, refused = 0;

	wait_until(receiver_held, receiver, bound);
	usleep(50 * 1000);
	assert_int_equal(receiver_held(receiver), bound);
	receiver_release(receiver);
	collect(f, jobs, &attempted, &refused);
	assert_int_equal(attempted, jobs);
	assert_int_equal(receiver_held_max(receiver), bound);
}

static void an_endpoint_has_its_bound(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));

	f->config.delivery_timeout_ms = PATIENCE_MS;
	f->config.delivery_max_in_flight_per_endpoint = 4;
	start(f);
	submit(f, route, 40);
	expect_bound(f, receiver, 40, 4);
	receiver_free(receiver);
}

static void a_host_has_its_bound(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD, NULL),
			*other = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(route_unrefp) struct route *other_route =
	    route_to_port(f, 99, receiver_port(other));
	struct route *routes[10];

	f->config.delivery_threads = 1;
	f->config.delivery_timeout_ms = PATIENCE_MS;
	f->config.delivery_max_connections_per_host = 6;
	start(f);
	for (int i = 0; i < 10; i++) {
		routes[i] = route_to_port(f, i, receiver_port(receiver));
		submit(f, routes[i], 5);
	}
	wait_until(receiver_held, receiver, 6);
	/* A full host is nobody else's problem. */
	assert_int_equal(attempt(f, other_route).reason, ATTEMPT_OK);
	expect_bound(f, receiver, 50, 6);
	assert_int_equal(receiver_connections(receiver), 6);
	for (int i = 0; i < 10; i++)
		route_unref(routes[i]);
	receiver_free(receiver);
	receiver_free(other);
}

static void all_endpoints_have_a_bound(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));

	f->config.delivery_timeout_ms = PATIENCE_MS;
	f->config.delivery_max_in_flight = 10; /* of two threads */
	start(f);
	submit(f, route, 30);
	expect_bound(f, receiver, 30, 5);
	receiver_free(receiver);
}

/* --- what is called back --- */

static void only_jobs_of_the_admitted_epoch_are_attempted(void **state) {
	static const struct {
		const char *name;
		int32_t partition;
		uint32_t epoch;
		enum job_end end;
	} rows[] = {
		{ "its epoch", PARTITION, EPOCH, JOB_ATTEMPTED },
		{ "an older epoch", PARTITION, EPOCH - 1, JOB_REFUSED },
		{ "a newer epoch", PARTITION, EPOCH + 1, JOB_REFUSED },
		{ "another partition", PARTITION + 1, EPOCH, JOB_REFUSED },
		{ "epoch 0, closed", PARTITION + 1, 0, JOB_REFUSED },
		{ "no partition", -1, EPOCH, JOB_REFUSED },
		{ "far partition", 1 << 20, EPOCH, JOB_REFUSED },
	};
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));

	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct job *job = job_for(route, 1);

		job->partition = rows[i].partition;
		job->epoch = rows[i].epoch;
		engine_submit(f->engine, job);
		job = next_ended(f);
		if (job->end != rows[i].end)
			fail_msg("%s: end %d", rows[i].name, job->end);
		job_free(job);
	}
	assert_int_equal(receiver_requests(receiver), 1);
	receiver_free(receiver);
}

/* What waits behind a busy endpoint comes back as soon as the gate closes; what is in flight ends
 * as it ends. */
static void a_closed_gate_returns_waiting_jobs(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	int attempted = 0, refused = 0;

	f->config.delivery_timeout_ms = PATIENCE_MS;
	f->config.delivery_max_in_flight_per_endpoint = 4;
	start(f);
	submit(f, route, 20);
	wait_until(receiver_held, receiver, 4);
	engine_gate_set(f->engine, PARTITION, EPOCH + 1);
	collect(f, 16, &attempted, &refused);
	assert_int_equal(refused, 16);
	assert_false(engine_wait_idle(f->engine, 20));
	receiver_release(receiver);
	assert_true(engine_wait_idle(f->engine, PATIENCE_MS));
	collect(f, 4, &attempted, &refused);
	assert_int_equal(attempted, 4);
	assert_int_equal(receiver_requests(receiver), 4);
	assert_int_equal(engine_counters(f->engine)->queued, 0);
	assert_int_equal(engine_counters(f->engine)->in_flight, 0);
	receiver_free(receiver);
}

/* What was not to be sent any more when its connection was there. */
static void assert_withheld(void **state, void (*withhold)(struct engine *engine)) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(x_freep) char *url = x_asprintf("http://slow.test:%d/", receiver_port(receiver));
	_cleanup_(route_unrefp) struct route *route = route_to(f, 1, url);
	struct job *job;

	f->config.delivery_timeout_ms = f->config.delivery_connect_timeout_ms = PATIENCE_MS;
	start(f);
	submit(f, route, 1);
	while (!atomic_load(&engine_counters(f->engine)->in_flight))
		usleep(1000);
	withhold(f->engine);
	job = next_ended(f);
	assert_int_equal(job->end, JOB_REFUSED);
	assert_int_equal(receiver_requests(receiver), 0);
	job_free(job);
	receiver_free(receiver);
}

static void close_gate(struct engine *engine) {
	engine_gate_set(engine, PARTITION, 0);
}

static void end_lease(struct engine *engine) {
	engine_lease_set(engine, clock_monotonic_us());
}

static void the_gate_may_close_while_connecting(void **state) {
	assert_withheld(state, close_gate);
}

static void the_lease_may_end_while_connecting(void **state) {
	assert_withheld(state, end_lease);
}

/* Jobs wait for a lease; they are not refused, and they need nothing but that it holds again. */
static void jobs_wait_for_a_lease(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	int attempted = 0, refused = 0;

	start(f);
	submit(f, route, 1);
	collect(f, 1, &attempted, &refused);
	end_lease(f->engine);
	submit(f, route, 20);
	assert_true(engine_wait_idle(
	    f->engine, PATIENCE_MS)); /* it leaves the count after it can be collected */
	usleep(100 * 1000);
	assert_int_equal(receiver_requests(receiver), 1);
	assert_int_equal(engine_counters(f->engine)->queued, 20);
	engine_lease_set(f->engine, clock_monotonic_us() + PATIENCE_MS * 1000);
	collect(f, 20, &attempted, &refused);
	assert_int_equal(attempted, 21);
	assert_int_equal(receiver_requests(receiver), 21);
	receiver_free(receiver);
}

static void a_dropped_endpoint_returns_its_jobs(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	_cleanup_(route_unrefp) struct route *other = route_to_port(f, 2, receiver_port(receiver));
	int attempted = 0, refused = 0;

	f->config.delivery_timeout_ms = PATIENCE_MS;
	f->config.delivery_max_in_flight_per_endpoint = 2;
	start(f);
	submit(f, route, 10);
	submit(f, other, 10);
	wait_until(receiver_held, receiver, 4);
	engine_drop_endpoint(f->engine, &route->webhook_id);
	collect(f, 8, &attempted, &refused);
	assert_int_equal(refused, 8);
	submit(f, route, 3); /* after the drop, so not concerned by it */
	receiver_release(receiver);
	collect(f, 15, &attempted, &refused);
	assert_int_equal(attempted, 15);
	assert_int_equal(refused, 8);
	receiver_free(receiver);
}

static void a_moved_endpoint_has_a_queue_of_its_own(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD, NULL),
			*next = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	_cleanup_(route_unrefp) struct route *moved = route_to_port(f, 1, receiver_port(next));
	int attempted = 0, refused = 0;

	f->config.delivery_threads = 1;
	f->config.delivery_timeout_ms = PATIENCE_MS;
	f->config.delivery_max_in_flight_per_endpoint = 4;
	f->config.delivery_max_connections_per_host = 2;
	start(f);
	submit(f, route, 10);
	wait_until(receiver_held, receiver, 2);
	submit(f, moved, 5);
	collect(f, 13, &attempted, &refused);
	assert_int_equal(refused, 8);
	assert_int_equal(attempted, 5);
	receiver_release(receiver);
	collect(f, 2, &attempted, &refused);
	assert_int_equal(attempted, 7);
	receiver_free(receiver);
	receiver_free(next);
}

static void a_stop_ends_within_its_grace(void **state) {
	struct fixture *f = *state;
	struct receiver *hanging = receiver_that(BEHAVE_HANG, NULL),
			*slow = receiver_that(BEHAVE_SLOW_BODY, OK_HEAD "\r\n");
	_cleanup_(route_unrefp) struct route *bad = route_to_port(f, 1, receiver_port(hanging));
	_cleanup_(route_unrefp) struct route *good = route_to_port(f, 2, receiver_port(slow));
	int attempted = 0, refused = 0;
	int64_t began;

	f->config.delivery_timeout_ms = PATIENCE_MS;
	start(f);
	submit(f, bad, 80);
	submit(f, good, 3);
	wait_until(receiver_requests, hanging, 64);
	wait_until(receiver_requests, slow, 3);
	began = clock_monotonic_ms();
	engine_stop(f->engine, 200);
	assert_in_range(clock_monotonic_ms() - began, 200, 1500);
	submit(f, bad, 1);
	collect(f, 84, &attempted, &refused);
	assert_int_equal(attempted, 3); /* their verdict had fallen */
	assert_int_equal(refused, 81);
	assert_int_equal(engine_counters(f->engine)->in_flight, 0);
	assert_int_equal(engine_counters(f->engine)->queued, 0);
	receiver_free(hanging);
	receiver_free(slow);
}

static void a_stop_lets_attempts_end(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HANG, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	struct job *job;

	start(f);
	submit(f, route, 1);
	wait_until(receiver_requests, receiver, 1);
	engine_stop(f->engine, PATIENCE_MS);
	job = next_ended(f);
	assert_int_equal(job->end, JOB_ATTEMPTED);
	assert_int_equal(job->result.reason, ATTEMPT_TIMEOUT);
	job_free(job);
	receiver_free(receiver);
}

/* --- many at once --- */

static void many_jobs_are_counted_once(void **state) {
	enum { RECEIVERS = 8, WEBHOOKS = 40, EACH = 50 };
	struct fixture *f = *state;
	struct receiver *receivers[RECEIVERS];
	uint64_t counts[ENGINE_BUCKET_COUNT + 1], total = 0;
	int attempted = 0, refused = 0, requests = 0;
	double seconds;

	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = receiver_that(BEHAVE_ANSWER, NULL);
	f->config.delivery_timeout_ms = PATIENCE_MS;
	f->config.delivery_max_in_flight_per_endpoint = 8;
	start(f);
	for (int i = 0; i < WEBHOOKS; i++) {
		_cleanup_(route_unrefp) struct route *route =
		    route_to_port(f, i, receiver_port(receivers[i % RECEIVERS]));

		submit(f, route, EACH);
	}
	collect(f, WEBHOOKS * EACH, &attempted, &refused);
	assert_int_equal(attempted, WEBHOOKS * EACH);
	for (int i = 0; i < RECEIVERS; i++)
		requests += receiver_requests(receivers[i]);
	assert_int_equal(requests, WEBHOOKS * EACH);
	engine_histogram(f->engine, counts, &seconds);
	for (size_t i = 0; i <= ENGINE_BUCKET_COUNT; i++)
		total += counts[i];
	assert_int_equal(total, WEBHOOKS * EACH);
	assert_true(seconds > 0);
	for (int i = 0; i < RECEIVERS; i++)
		receiver_free(receivers[i]);
}

/* Every host may keep its connections, but not all of them all: descriptors are finite. The last
 * test, for it lowers their limit for good. */
static void few_descriptors_suffice_for_many_hosts(void **state) {
	enum { HOSTS = 300, DESCRIPTORS = 600, CONNECTIONS_MAX = (DESCRIPTORS - 256) * 3 / 4 };
	struct rlimit limit = { .rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS };
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);
	int64_t began = clock_monotonic_ms();
	enum attempt_reason reason;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	f->config.delivery_threads = 1;
	f->config.delivery_timeout_ms = PATIENCE_MS;
	start(f);
	for (int i = 0; i < HOSTS; i++) {
		struct route *route;
		char url[64];

		snprintf(url, sizeof(url), "http://host%d.test:%u/", i, receiver_port(receiver));
		route = route_to(f, i, url);
		/* The receiver's descriptors are of this process, too, and closed when its threads
		 * have their turn. */
		while ((reason = attempt(f, route).reason) == ATTEMPT_INTERNAL &&
		       clock_monotonic_ms() - began < PATIENCE_MS)
			usleep(1000);
		assert_int_equal(reason, ATTEMPT_OK);
		route_unref(route);
	}
	assert_int_equal(receiver_connections(receiver), HOSTS);
	assert_in_range(engine_counters(f->engine)->connections, CONNECTIONS_MAX / 4,
			CONNECTIONS_MAX);
	receiver_free(receiver);
}

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(an_endpoint_keeps_its_connection),
		ENGINE_TEST(the_signed_request_is_the_sent_one),
		ENGINE_TEST(the_dot_behind_a_name_is_not_part_of_its_certificate),
		ENGINE_TEST(the_largest_body_is_sent),
		ENGINE_TEST(answers_have_their_result),
		ENGINE_TEST(answers_that_last_have_their_result),
		ENGINE_TEST(drained_answers_keep_the_connection),
		ENGINE_TEST(failures_before_the_answer_have_their_reason),
		ENGINE_TEST(http_needs_its_option),
		ENGINE_TEST(a_hanging_endpoint_holds_up_no_other),
		ENGINE_TEST(a_slow_name_holds_up_no_other),
		ENGINE_TEST(an_endpoint_has_its_bound),
		ENGINE_TEST(a_host_has_its_bound),
		ENGINE_TEST(all_endpoints_have_a_bound),
		ENGINE_TEST(only_jobs_of_the_admitted_epoch_are_attempted),
		ENGINE_TEST(a_closed_gate_returns_waiting_jobs),
		ENGINE_TEST(the_gate_may_close_while_connecting),
		ENGINE_TEST(jobs_wait_for_a_lease),
		ENGINE_TEST(the_lease_may_end_while_connecting),
		ENGINE_TEST(a_dropped_endpoint_returns_its_jobs),
		ENGINE_TEST(a_moved_endpoint_has_a_queue_of_its_own),
		ENGINE_TEST(a_stop_ends_within_its_grace),
		ENGINE_TEST(a_stop_lets_attempts_end),
		ENGINE_TEST(many_jobs_are_counted_once),
		ENGINE_TEST(few_descriptors_suffice_for_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
