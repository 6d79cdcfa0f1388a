/* Attempts through a proxy: what it is sent, what its failures mean, and the pause while it is not
 * reached. A receiver stands for the proxy; tests/e2e/test_way_out.py has a real one. */
#include "delivery/proxy.h"
#include "delivery_fixture.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { FAILURES = 3, NO_PROXY = -1, FULL_PROXY = -2 };

static char user[] = "Aladdin", password[] = "open sesame", missing[] = "/nonexistent/password";

static void use_proxy(struct fixture *f, const char *host, uint16_t port) {
	free(f->config.endpoint_proxy.location);
	f->config.endpoint_proxy.location = x_asprintf("http://%s:%u", host, port);
	f->config.delivery_breaker_failures = FAILURES;
}

static int teardown_proxy(void **state) {
	struct fixture *f = *state;
	struct config config = f->config;
	int r = teardown(state);

	free(config.endpoint_proxy.location);
	host_list_destroy(&config.endpoint_proxy_except);
	return r;
}

static void except(struct fixture *f, const char *list) {
	const char *why;

	assert_int_equal(host_list_parse(list, &f->config.endpoint_proxy_except, &why), 0);
}

static struct attempt_result attempt_at(struct fixture *f, const char *url) {
	_cleanup_(route_unrefp) struct route *route = route_to(f, 1, url);

	return attempt(f, route);
}

/* The text has the line, with its end. */
static bool has_line(const char *request, const char *line) {
	_cleanup_(x_freep) char *whole = x_asprintf("\r\n%s\r\n", line);

	return strstr(request, whole);
}

static void http_has_the_absolute_form(void **state) {
	struct fixture *f = *state;
	struct receiver *proxy = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(x_freep) char *request = NULL;
	size_t len;

	use_proxy(f, "127.0.0.1", receiver_port(proxy));
	f->config.endpoint_proxy.user = user;
	f->config.endpoint_proxy.password = password;
	start(f);
	/* A name that this machine does not know. */
	assert_int_equal(attempt_at(f, "http://none.test:8080/hook?a=b").reason, ATTEMPT_OK);
	request = receiver_last_request(proxy, &len);
	assert_true(!strncmp(request, "POST http://none.test:8080/hook?a=b HTTP/1.1\r\n", 46));
	assert_true(has_line(request, "Host: none.test:8080"));
	/* Source: RFC 7617 section 2. */
	assert_true(has_line(request, "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
	assert_non_null(strstr(request, "\r\nsignature: "));
	receiver_free(proxy);
}

static void https_has_a_tunnel_that_shows_nothing(void **state) {
	struct fixture *f = *state;
	struct receiver *proxy = receiver_that(BEHAVE_ANSWER, "HTTP/1.1 403 No\r\n\r\n");
	_cleanup_(x_freep) char *request = NULL;
	size_t len;

	use_proxy(f, "127.0.0.1", receiver_port(proxy));
	start(f);
	assert_int_equal(attempt_at(f, "https://none.test/hook").reason, ATTEMPT_PROXY_REFUSED);
	request = receiver_last_request(proxy, &len);
	assert_true(!strncmp(request, "CONNECT none.test:443 HTTP/1.1\r\n", 32));
	assert_null(strstr(request, "signature"));
	assert_null(strstr(request, "hook"));
	assert_null(strstr(request, "Proxy-Authorization"));
	receiver_free(proxy);
}

static void write_over(int fd, const char *text) {
	ssize_t len = (ssize_t)strlen(text);

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, text, (size_t)len, 0), len);
}

static void assert_login(struct fixture *f, struct receiver *proxy, const char *line) {
	_cleanup_(x_freep) char *request = NULL;
	size_t len;

	assert_int_equal(attempt_at(f, "http://none.test/").reason, ATTEMPT_OK);
	request = receiver_last_request(proxy, &len);
	assert_true(has_line(request, line));
}

/* One that cannot be read leaves the password that was read before. */
static void a_password_comes_from_its_file(void **state) {
	static const char login[] = "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
			  other_login[] = "Proxy-Authorization: Basic QWxhZGRpbjpvdGhlcg==";
	struct fixture *f = *state;
	struct receiver *proxy = receiver_that(BEHAVE_ANSWER, NULL);
	char path[] = "/tmp/posthorn-proxy-XXXXXX";
	int fd = mkstemp(path);
	struct config next;

	write_over(fd, "open sesame\n");
	use_proxy(f, "127.0.0.1", receiver_port(proxy));
	f->config.endpoint_proxy.user = user;
	f->config.endpoint_proxy_password_file = path;
	start(f);
	assert_login(f, proxy, login);
	write_over(fd, "other\n");
	assert_login(f, proxy, login);
	assert_int_equal(engine_reload_files(f->engine, &f->config), 0);
	assert_login(f, proxy, other_login);
	next = f->config;
	next.endpoint_proxy_password_file = missing;
	assert_int_equal(engine_reload_files(f->engine, &next), ENGINE_E_PROXY_PASSWORD);
	assert_login(f, proxy, other_login);
	unlink(path);
	close(fd);
	receiver_free(proxy);
}

static void a_password_that_cannot_be_read_ends_the_start(void **state) {
	struct fixture *f = *state;

	use_proxy(f, "127.0.0.1", 1);
	f->config.endpoint_proxy.user = user;
	f->config.endpoint_proxy_password_file = missing;
	assert_int_equal(engine_new(&f->config, "0.0.0-test", NULL, NULL, &f->engine), -EINVAL);
}

/* Exceptions go directly, and past the guard, which judges their addresses as ever. */
static void exceptions_go_without_it(void **state) {
	struct fixture *f = *state;
	struct receiver *proxy = receiver_that(BEHAVE_ANSWER, NULL),
			*direct = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(x_freep) char *url =
	    x_asprintf("http://a.direct.test:%u/", receiver_port(direct));
	_cleanup_(x_freep) char *literal =
	    x_asprintf("http://127.0.0.1:%u/", receiver_port(direct));
	_cleanup_(x_freep) char *request = NULL;
	size_t len;

	use_proxy(f, "127.0.0.1", receiver_port(proxy));
	f->config.endpoint_proxy.user = user;
	f->config.endpoint_proxy.password = password;
	except(f, "direct.test,inside.test,127.0.0.0/8");
	start(f);
	assert_int_equal(attempt_at(f, url).reason, ATTEMPT_OK);
	assert_int_equal(attempt_at(f, literal).reason, ATTEMPT_OK);
	assert_int_equal(receiver_requests(direct), 2);
	assert_int_equal(attempt_at(f, "http://inside.test/").reason, ATTEMPT_ADDRESS_REFUSED);
	assert_int_equal(receiver_connections(proxy), 0);
	assert_int_equal(attempt_at(f, "http://other.test/").reason, ATTEMPT_OK);
	assert_int_equal(receiver_requests(proxy), 1);
	/* One handle after the other: what the last attempt set does not stay. */
	assert_int_equal(attempt_at(f, url).reason, ATTEMPT_OK);
	assert_int_equal(receiver_requests(direct), 3);
	request = receiver_last_request(direct, &len);
	assert_true(!strncmp(request, "POST / HTTP/1.1\r\n", 17));
	assert_null(strcasestr(request, "proxy-"));
	receiver_free(direct);
	receiver_free(proxy);
}

static void addresses_outside_the_networks_are_refused(void **state) {
	static const char *const urls[] = { "http://10.0.0.1/", "https://10.0.0.1/",
					    "http://[::1]:8080/", "https://169.254.169.254/",
					    "http://192.0.2.1/" };
	struct fixture *f = *state;
	struct receiver *proxy = receiver_that(BEHAVE_ANSWER, NULL);

	use_proxy(f, "127.0.0.1", receiver_port(proxy));
	start(f);
	/* A kept connection to the proxy is there, and would serve any host. */
	assert_int_equal(attempt_at(f, "http://127.0.0.9/").reason, ATTEMPT_OK);
	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		assert_int_equal(attempt_at(f, urls[i]).reason, ATTEMPT_ADDRESS_REFUSED);
	assert_int_equal(receiver_requests(proxy), 1);
	receiver_free(proxy);
}

/* Failures. */

#define TUNNEL "HTTP/1.1 200 Connection established\r\n\r\n"

static const struct row {
	const char *name;
	const char *host; /* of the proxy; NULL: 127.0.0.1 */
	int behaviour;    /* enum behaviour, NO_PROXY or FULL_PROXY */
	const char *answer;
	bool is_https;
	enum attempt_reason reason;
	const char *words;
} rows[] = {
	{ "nobody listens", NULL, NO_PROXY, NULL, true, ATTEMPT_PROXY_CONNECT, "connect to" },
	{ "nobody listens, http", NULL, NO_PROXY, NULL, false, ATTEMPT_PROXY_CONNECT,
	  "connect to" },
	{ "no such name", "none.test", NO_PROXY, NULL, true, ATTEMPT_PROXY_CONNECT, "none.test" },
	{ "a name that resolves too slowly", "slow.test", NO_PROXY, NULL, true,
	  ATTEMPT_PROXY_CONNECT, "timed out" },
	{ "it takes no connection", NULL, FULL_PROXY, NULL, true, ATTEMPT_PROXY_CONNECT, "time" },
	{ "it takes no connection, http", NULL, FULL_PROXY, NULL, false, ATTEMPT_PROXY_CONNECT,
	  "time" },
	{ "closed at once", NULL, BEHAVE_CLOSE_AT_ONCE, NULL, true, ATTEMPT_PROXY_CONNECT, "" },
	{ "closed instead of an answer", NULL, BEHAVE_ANSWER_AND_CLOSE, "", true,
	  ATTEMPT_PROXY_CONNECT, "" },
	{ "reset instead of an answer", NULL, BEHAVE_RESET_AT_ONCE, NULL, true,
	  ATTEMPT_PROXY_CONNECT, "" },
	{ "an answer that is none", NULL, BEHAVE_ANSWER_AND_CLOSE, "220 mail.example ESMTP\r\n",
	  true, ATTEMPT_PROXY_CONNECT, "" },
	{ "a login is asked for", NULL, BEHAVE_ANSWER_AND_CLOSE,
	  "HTTP/1.1 407 Login\r\nproxy-authenticate: Basic realm=\"x\"\r\n\r\n", true,
	  ATTEMPT_PROXY_REFUSED, "407" },
	{ "a login is asked for, http", NULL, BEHAVE_ANSWER,
	  "HTTP/1.1 407 Login\r\nproxy-authenticate: Basic realm=\"x\"\r\ncontent-length: "
	  "0\r\n\r\n",
	  false, ATTEMPT_PROXY_REFUSED, "407" },
	{ "forbidden", NULL, BEHAVE_ANSWER_AND_CLOSE, "HTTP/1.1 403 No\r\n\r\n", true,
	  ATTEMPT_PROXY_REFUSED, "403" },
	{ "too many", NULL, BEHAVE_ANSWER_AND_CLOSE, "HTTP/1.1 429 Wait\r\n\r\n", true,
	  ATTEMPT_PROXY_REFUSED, "429" },
	{ "a redirect", NULL, BEHAVE_ANSWER_AND_CLOSE,
	  "HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\n\r\n", true, ATTEMPT_PROXY_REFUSED,
	  "302" },
	{ "the endpoint is not reached", NULL, BEHAVE_ANSWER_AND_CLOSE,
	  "HTTP/1.1 502 Bad gateway\r\n\r\n", true, ATTEMPT_PROXY_GATEWAY, "502" },
	{ "the endpoint is slow", NULL, BEHAVE_ANSWER_AND_CLOSE, "HTTP/1.1 504 Late\r\n\r\n", true,
	  ATTEMPT_PROXY_GATEWAY, "504" },
	{ "it never answers", NULL, BEHAVE_HANG, NULL, true, ATTEMPT_TIMEOUT, "time" },
	{ "it never answers, http", NULL, BEHAVE_HANG, NULL, false, ATTEMPT_TIMEOUT, "timed out" },
	{ "closed in the tunnel's handshake", NULL, BEHAVE_ANSWER_AND_CLOSE, TUNNEL, true,
	  ATTEMPT_TLS, "" },
	{ "closed, http", NULL, BEHAVE_ANSWER_AND_CLOSE, "", false, ATTEMPT_PROXY_BROKEN,
	  "Empty reply" },
	{ "reset, http", NULL, BEHAVE_ANSWER_AND_RESET, "", false, ATTEMPT_PROXY_BROKEN, "reset" },
	{ "closed in the headers, http", NULL, BEHAVE_ANSWER_AND_CLOSE, OK_HEAD "x: y\r\n", false,
	  ATTEMPT_PROTOCOL, "" },
};

static uint16_t port_of(const struct row *row, const struct receiver *proxy) {
	return proxy                          ? receiver_port(proxy)
	       : row->behaviour == FULL_PROXY ? receiver_full_port()
					      : receiver_unused_port();
}

/* Returns whether it is as the row says, and prints it where it is not. */
static bool check_row(const struct row *row) {
	void *state = NULL;
	struct receiver *proxy =
	    row->behaviour < 0 ? NULL : receiver_that((enum behaviour)row->behaviour, row->answer);
	struct fixture *f;
	struct job *job;
	bool ok;

	setup(&state);
	f = state;
	use_proxy(f, row->host ? row->host : "127.0.0.1", port_of(row, proxy));
	f->config.delivery_connect_timeout_ms = TIMEOUT_MS / 2;
	start(f);
	{
		_cleanup_(route_unrefp) struct route *route =
		    route_to(f, 1, row->is_https ? "https://a.test/" : "http://a.test/");

		submit(f, route, 1);
	}
	job = next_ended(f);
	ok = job->result.reason == row->reason && job->result.status == 0 && job->error &&
	     strcasestr(job->error, row->words);
	if (!ok)
		print_error("%s: reason %d, error %s\n", row->name, job->result.reason,
			    job->error ? job->error : "none");
	job_free(job);
	teardown_proxy(&state);
	if (proxy)
		receiver_free(proxy);
	return ok;
}

static void failures_have_their_reason(void **state _unused_) {
	bool ok = true;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ok &= check_row(&rows[i]);
	assert_true(ok);
}

/* The pause. */

static enum attempt_reason attempt_times(struct fixture *f, int times) {
	enum attempt_reason reason = ATTEMPT_OK;

	for (int i = 0; i < times; i++)
		reason = attempt_at(f, "https://a.test/").reason;
	return reason;
}

static void while_it_is_away_one_attempt_at_a_time_tries_it(void **state) {
	struct fixture *f = *state;
	struct receiver *direct = receiver_that(BEHAVE_ANSWER, NULL), *proxy;
	_cleanup_(x_freep) char *url = x_asprintf("http://direct.test:%u/", receiver_port(direct));
	_cleanup_(route_unrefp) struct route *route = route_to(f, 1, "http://a.test/");
	uint16_t port = receiver_unused_port();
	int attempted = 0, held = 0;

	use_proxy(f, "127.0.0.1", port);
	except(f, "direct.test");
	start(f);
	assert_int_equal(attempt_times(f, FAILURES - 1), ATTEMPT_PROXY_CONNECT);
	assert_false(engine_proxy_fails(f->engine));
	assert_int_equal(attempt_times(f, 1), ATTEMPT_PROXY_CONNECT);
	assert_true(engine_proxy_fails(f->engine));
	usleep((PROXY_PAUSE_MS + 100) * 1000);
	submit(f, route, 20);
	for (int i = 0; i < 20; i++) {
		struct job *job = next_ended(f);

		attempted += job->end == JOB_ATTEMPTED;
		held += job->end == JOB_REFUSED && job->hold_ms == PROXY_PAUSE_MS;
		job_free(job);
	}
	assert_int_equal(attempted, 1);
	assert_int_equal(held, 19);
	assert_int_equal(attempt_at(f, url).reason, ATTEMPT_OK);
	proxy =
	    receiver_new(&(struct receiver_options){ .behaviour = BEHAVE_ANSWER, .port = port });
	usleep((PROXY_PAUSE_MS + 100) * 1000);
	assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
	assert_false(engine_proxy_fails(f->engine));
	assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
	receiver_free(proxy);
	receiver_free(direct);
}

/* One that answers works, whatever it says: an endpoint can make it say that. */
static void refusals_are_no_failure_of_the_proxy(void **state) {
	static const char *const answers[] = { "HTTP/1.1 403 No\r\n\r\n", "HTTP/1.1 407 No\r\n\r\n",
					       "HTTP/1.1 502 No\r\n\r\n" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct receiver *proxy = receiver_that(BEHAVE_ANSWER_AND_CLOSE, answers[i]);

		use_proxy(f, "127.0.0.1", receiver_port(proxy));
		start(f);
		attempt_times(f, FAILURES + 1);
		assert_false(engine_proxy_fails(f->engine));
		assert_int_equal(receiver_requests(proxy), FAILURES + 1);
		engine_free(f->engine);
		f->engine = NULL;
		receiver_free(proxy);
	}
}

/* What a tenant's endpoint can bring about neither opens the pause nor ends it. */
static void silence_is_no_failure_of_the_proxy(void **state) {
	struct fixture *f = *state;
	struct receiver *proxy = receiver_that(BEHAVE_HANG, NULL);

	use_proxy(f, "127.0.0.1", receiver_port(proxy));
	f->config.delivery_timeout_ms = f->config.delivery_connect_timeout_ms = 200;
	start(f);
	assert_int_equal(attempt_times(f, FAILURES + 1), ATTEMPT_TIMEOUT);
	assert_false(engine_proxy_fails(f->engine));
	receiver_free(proxy);
}

/* A request over a kept connection opens none, and has reached the proxy all the same. */
static void silence_on_a_kept_connection_is_none_either(void **state) {
	struct fixture *f = *state;
	struct receiver *proxy = receiver_that(BEHAVE_HOLD_SECOND_REQUEST, NULL);

	use_proxy(f, "127.0.0.1", receiver_port(proxy));
	f->config.delivery_timeout_ms = f->config.delivery_connect_timeout_ms = 500;
	start(f);
	assert_int_equal(attempt_at(f, "http://a.test/").reason, ATTEMPT_OK);
	assert_int_equal(attempt_at(f, "http://a.test/").reason, ATTEMPT_TIMEOUT);
	assert_int_equal(receiver_connections(proxy), 1);
	receiver_free(proxy);
}

#define PROXY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown_proxy)

int main(void) {
	const struct CMUnitTest tests[] = {
		PROXY_TEST(http_has_the_absolute_form),
		PROXY_TEST(https_has_a_tunnel_that_shows_nothing),
		PROXY_TEST(a_password_comes_from_its_file),
		PROXY_TEST(a_password_that_cannot_be_read_ends_the_start),
		PROXY_TEST(exceptions_go_without_it),
		PROXY_TEST(addresses_outside_the_networks_are_refused),
		cmocka_unit_test(failures_have_their_reason),
		PROXY_TEST(while_it_is_away_one_attempt_at_a_time_tries_it),
		PROXY_TEST(refusals_are_no_failure_of_the_proxy),
		PROXY_TEST(silence_is_no_failure_of_the_proxy),
		PROXY_TEST(silence_on_a_kept_connection_is_none_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
