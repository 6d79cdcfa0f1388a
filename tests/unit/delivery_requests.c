/* Requests as they leave: connections, signatures, bodies, and the requests that never leave. */
#include "delivery_fixture.h"
#include "domain/event_type.h"
#include "signature/callback.h"
#include "unit.h"

#include <stdio.h>
#include <strings.h>

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
	_cleanup_(buffer_destroy) struct buffer lines = BUFFER_INIT(CALLBACK_LINES_MAX);
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

	buffer_append_string(&lines, "\r\nuser-agent: posthorn/0.0.0-test");
	callback_sign(&lines, f->signer, f->config.signature_formats, &callback);
	buffer_append_string(&lines, "\r\n");
	assert_non_null(strstr(request, lines.data));
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
	assert_string_equal(header_value(request, "tracestate"), "rojo=00f067aa0ba902b7");
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
				     .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
				     .tenant_id = "t",
				     .command_id = "c",
				     .traceparent = "00-evil\r\nx-injected: 1",
				     .tracestate = "a=b",
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
	assert_null(header_value(request, "tracestate"));
	assert_memory_equal(request + len - DELIVERY_BODY_MAX, body, DELIVERY_BODY_MAX);
	job_free(job);
	route_unref(route);
	receiver_free(receiver);
}

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

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(an_endpoint_keeps_its_connection),
		ENGINE_TEST(the_signed_request_is_the_sent_one),
		ENGINE_TEST(the_dot_behind_a_name_is_not_part_of_its_certificate),
		ENGINE_TEST(the_largest_body_is_sent),
		ENGINE_TEST(failures_before_the_answer_have_their_reason),
		ENGINE_TEST(http_needs_its_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
