/* Which connection a request goes over, and what happens when a kept one ends: against real
 * receivers on loopback. */
#include "base/clock.h"
#include "delivery_fixture.h"
#include "unit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum { LARGE_BODY_LEN = 250 * 1000, OTHER_ADDRESS = INADDR_LOOPBACK + 1 };

static const struct tls_server_options tls_1_2 = { .version = TLS1_2_VERSION },
				       tls_1_3 = { .version = TLS1_3_VERSION };

static struct route *route_to_receiver(struct fixture *f, const char *host,
				       const struct receiver *receiver, bool is_tls) {
	char url[64];

	snprintf(url, sizeof(url), "http%s://%s:%u/hook", is_tls ? "s" : "", host,
		 receiver_port(receiver));
	return route_to(f, 1, url);
}

static struct job *large_job_for(struct route *route, int number) {
	_cleanup_(x_freep) char *body = x_malloc(LARGE_BODY_LEN);
	struct job *small = job_for(route, number), *job;
	struct delivery delivery = small->delivery;

	memset(body, 'x', LARGE_BODY_LEN);
	delivery.body = body;
	delivery.body_len = LARGE_BODY_LEN;
	job = job_new(&delivery, route, PARTITION, EPOCH);
	job_free(small);
	return job;
}

static enum attempt_reason attempt_of(struct fixture *f, struct job *job) {
	enum attempt_reason reason;

	engine_submit(f->engine, job);
	job = next_ended(f);
	assert_int_equal(job->end, JOB_ATTEMPTED);
	reason = job->result.reason;
	job_free(job);
	return reason;
}

/* --- a kept connection that ends --- */

/* Also one over which a large body went, for which the socket was waited for to be written to. */
static void large_bodies_keep_their_connection(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));

	start(f);
	for (int n = 1; n <= 100; n++)
		assert_int_equal(attempt_of(f, large_job_for(route, n)), ATTEMPT_OK);
	assert_int_equal(receiver_connections(receiver), 1);
	receiver_free(receiver);
}

/* The receiver may end it at any moment, also just as we send: that is not its endpoint's failure,
 * however often. */
static void a_kept_connection_that_ends_is_no_failure(void **state) {
	static const struct {
		const char *name;
		enum behaviour behaviour;
		const struct tls_server_options *tls;
		bool is_large;
	} rows[] = {
		{ "closed", BEHAVE_CLOSE_SECOND_REQUEST, NULL, false },
		{ "reset", BEHAVE_RESET_SECOND_REQUEST, NULL, false },
		{ "closed, large", BEHAVE_CLOSE_SECOND_REQUEST, NULL, true },
		{ "closed in the body", BEHAVE_CLOSE_IN_SECOND_BODY, NULL, true },
		{ "TLS 1.2, closed", BEHAVE_CLOSE_SECOND_REQUEST, &tls_1_2, false },
		{ "TLS 1.2, reset", BEHAVE_RESET_SECOND_REQUEST, &tls_1_2, false },
		{ "TLS 1.2, closed in the body", BEHAVE_CLOSE_IN_SECOND_BODY, &tls_1_2, true },
		{ "TLS 1.3, closed", BEHAVE_CLOSE_SECOND_REQUEST, &tls_1_3, false },
		{ "TLS 1.3, reset", BEHAVE_RESET_SECOND_REQUEST, &tls_1_3, false },
		{ "TLS 1.3, closed in the body", BEHAVE_CLOSE_IN_SECOND_BODY, &tls_1_3, true },
	};
	enum { ATTEMPTS = 30 };
	struct fixture *f = *state;

	f->config.endpoint_ca_file = tls_authority_file();
	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct receiver *receiver = receiver_new(&(struct receiver_options){
		    .behaviour = rows[i].behaviour, .tls = rows[i].tls });
		_cleanup_(route_unrefp) struct route *route =
		    route_to_receiver(f, "127.0.0.1", receiver, rows[i].tls);

		for (int n = 1; n <= ATTEMPTS; n++) {
			enum attempt_reason reason = attempt_of(
			    f, rows[i].is_large ? large_job_for(route, n) : job_for(route, n));

			if (reason != ATTEMPT_OK)
				fail_msg("%s: attempt %d: reason %d", rows[i].name, n, reason);
		}
		/* One each that is answered, and before it, but for the first, one over the kept
		 * connection. */
		if (receiver_connections(receiver) != ATTEMPTS ||
		    receiver_requests(receiver) != 2 * ATTEMPTS - 1)
			fail_msg("%s: %d connections, %d requests", rows[i].name,
				 receiver_connections(receiver), receiver_requests(receiver));
		receiver_free(receiver);
	}
}

/* Authorities that cannot be read leave those before. */
static void authorities_are_read_again(void **state) {
	static char nothing[] = "/dev/null";
	struct fixture *f = *state;
	struct config other = f->config;
	struct receiver *receiver =
	    receiver_new(&(struct receiver_options){ .behaviour = BEHAVE_ANSWER, .tls = &tls_1_3 });
	_cleanup_(route_unrefp) struct route *route =
	    route_to_receiver(f, "127.0.0.1", receiver, true);

	start(f);
	assert_int_equal(attempt_of(f, job_for(route, 1)), ATTEMPT_TLS);
	other.endpoint_ca_file = (char *)(uintptr_t)tls_authority_file();
	assert_int_equal(engine_reload_files(f->engine, &other), 0);
	assert_int_equal(attempt_of(f, job_for(route, 2)), ATTEMPT_OK);
	other.endpoint_ca_file = nothing;
	assert_int_equal(engine_reload_files(f->engine, &other), ENGINE_E_AUTHORITIES);
	assert_int_equal(attempt_of(f, job_for(route, 3)), ATTEMPT_OK);
	receiver_free(receiver);
}

/* Whom the former authorities vouched for is judged anew: no kept connection and no session of
 * theirs is used. The same authorities again change nothing. */
static void authorities_that_go_are_trusted_no_more(void **state) {
	static const struct {
		const char *name;
		enum behaviour behaviour;
		const struct tls_server_options *tls;
	} rows[] = {
		{ "TLS 1.2, kept", BEHAVE_ANSWER, &tls_1_2 },
		{ "TLS 1.3, kept", BEHAVE_ANSWER, &tls_1_3 },
		{ "TLS 1.2, resumed", BEHAVE_ANSWER_AND_CLOSE, &tls_1_2 },
		{ "TLS 1.3, resumed", BEHAVE_ANSWER_AND_CLOSE, &tls_1_3 },
	};
	struct fixture *f = *state;
	struct receiver *receivers[ARRAY_LEN(rows)];
	struct route *routes[ARRAY_LEN(rows)];
	struct config other = f->config;

	f->config.endpoint_ca_file = tls_authority_file();
	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_kept = rows[i].behaviour == BEHAVE_ANSWER;

		receivers[i] = receiver_new(&(struct receiver_options){
		    .behaviour = rows[i].behaviour, .tls = rows[i].tls });
		routes[i] = route_to_receiver(f, "127.0.0.1", receivers[i], true);
		assert_int_equal(attempt_of(f, job_for(routes[i], 1)), ATTEMPT_OK);
		assert_int_equal(engine_reload_files(f->engine, &f->config), 0);
		usleep(100 * 1000); /* until the connection's end has come */
		assert_int_equal(attempt_of(f, job_for(routes[i], 2)), ATTEMPT_OK);
		if (receiver_connections(receivers[i]) != (is_kept ? 1 : 2) ||
		    receiver_resumed(receivers[i]) != (is_kept ? 0 : 1))
			fail_msg("%s: %d connections, %d resumed", rows[i].name,
				 receiver_connections(receivers[i]),
				 receiver_resumed(receivers[i]));
	}
	assert_int_equal(engine_reload_files(f->engine, &other), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum attempt_reason reason = attempt_of(f, job_for(routes[i], 3));

		if (reason != ATTEMPT_TLS)
			fail_msg("%s: reason %d", rows[i].name, reason);
	}
	assert_int_equal(engine_reload_files(f->engine, &f->config), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(attempt_of(f, job_for(routes[i], 4)), ATTEMPT_OK);
		route_unref(routes[i]);
		receiver_free(receivers[i]);
	}
}

/* Once they have settled, kept connections are used again. */
static void connections_are_kept_under_the_new_authorities(void **state) {
	struct fixture *f = *state;
	struct config other = f->config;
	struct receiver *receiver =
	    receiver_new(&(struct receiver_options){ .behaviour = BEHAVE_ANSWER, .tls = &tls_1_3 });
	_cleanup_(route_unrefp) struct route *route =
	    route_to_receiver(f, "127.0.0.1", receiver, true);

	start(f);
	other.endpoint_ca_file = tls_authority_file();
	assert_int_equal(engine_reload_files(f->engine, &other), 0);
	usleep(3100 * 1000);
	for (int n = 1; n <= 5; n++)
		assert_int_equal(attempt_of(f, job_for(route, n)), ATTEMPT_OK);
	assert_int_equal(receiver_connections(receiver), 1);
	receiver_free(receiver);
}

/* Also where many of them end at once: each goes to a fresh one then, not to the next that has
 * ended. */
static void a_thousand_kept_connections_may_end_at_once(void **state) {
	enum { JOBS = 1200 };
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_CLOSE_SECOND_REQUEST, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	int succeeded = 0, refused = 0;

	start(f);
	submit(f, route, JOBS);
	collect(f, JOBS, &succeeded, &refused);
	assert_int_equal(succeeded, JOBS);
	assert_int_equal(engine_counters(f->engine)->attempts[ATTEMPT_OK], JOBS);
	assert_in_range(receiver_requests(receiver), JOBS + 1000, 2 * JOBS);
	receiver_free(receiver);
}

/* A request that ends on a connection opened for it has failed; so has an answer that began. */
static void a_fresh_connection_that_ends_is_a_failure(void **state) {
	static const struct {
		const char *name;
		enum behaviour behaviour;
		int well; /* attempts that succeed before */
		enum attempt_reason reason;
	} rows[] = {
		{ "closed", BEHAVE_ANSWER_AND_CLOSE, 0, ATTEMPT_CONNECT },
		{ "reset", BEHAVE_ANSWER_AND_RESET, 0, ATTEMPT_CONNECT },
		{ "closed in the body", BEHAVE_CLOSE_IN_BODY, 0, ATTEMPT_CONNECT },
		{ "kept, and broken in its answer", BEHAVE_BREAK_SECOND_ANSWER, 1,
		  ATTEMPT_PROTOCOL },
	};
	struct fixture *f = *state;

	start(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct receiver *receiver =
		    receiver_that(rows[i].behaviour, rows[i].well ? NULL : "");
		_cleanup_(route_unrefp) struct route *route =
		    route_to_port(f, 1, receiver_port(receiver));
		enum attempt_reason reason;

		for (int n = 0; n < rows[i].well; n++)
			assert_int_equal(attempt_of(f, large_job_for(route, 1)), ATTEMPT_OK);
		reason = attempt_of(f, large_job_for(route, 2));
		if (reason != rows[i].reason || receiver_requests(receiver) != rows[i].well + 1)
			fail_msg("%s: reason %d, %d requests", rows[i].name, reason,
				 receiver_requests(receiver));
		receiver_free(receiver);
	}
}

/* A second sending is one: the gate is asked again. */
static void the_gate_is_asked_before_a_second_sending(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD_SECOND_REQUEST, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	struct job *job;

	f->config.delivery_timeout_ms = PATIENCE_MS;
	start(f);
	assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
	submit(f, route, 1);
	wait_until(receiver_held, receiver, 1);
	engine_gate_set(f->engine, PARTITION, EPOCH + 1);
	receiver_release(receiver);
	job = next_ended(f);
	assert_int_equal(job->end, JOB_REFUSED);
	assert_int_equal(receiver_requests(receiver), 2);
	job_free(job);
	receiver_free(receiver);
}

/* delivery.timeout is an attempt's, however often it is sent. */
static void both_sendings_share_the_time(void **state) {
	enum { HELD_MS = TIMEOUT_MS * 2 / 3 };
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_HOLD_SECOND_REQUEST, NULL);
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));
	struct job *job;

	start(f);
	assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
	engine_submit(f->engine, large_job_for(route, 2));
	wait_until(receiver_held, receiver, 1);
	usleep(HELD_MS * 1000);
	receiver_release(receiver);
	job = next_ended(f);
	assert_int_equal(job->result.reason, ATTEMPT_TIMEOUT);
	assert_in_range(job->result.duration_ms, TIMEOUT_MS - 10, TIMEOUT_MS + HELD_MS / 2);
	assert_int_equal(receiver_requests(receiver), 3);
	job_free(job);
	receiver_free(receiver);
}

/* --- a name that moves --- */

static void connections_have_a_lifetime(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver = receiver_that(BEHAVE_ANSWER, NULL);
	int64_t began = clock_monotonic_ms();

	f->config.delivery_connection_lifetime_ms = 1000;
	start(f);
	while (receiver_connections(receiver) < 3 && clock_monotonic_ms() - began < PATIENCE_MS) {
		assert_int_equal(attempt_at_port(f, receiver_port(receiver)).reason, ATTEMPT_OK);
		usleep(10 * 1000);
	}
	assert_int_equal(receiver_connections(receiver), 3);
	assert_true(receiver_requests(receiver) > 20);
	receiver_free(receiver);
}

static enum attempt_reason probe(struct fixture *f, struct route *route, int number) {
	struct job *job = job_for(route, number);

	job->is_probe = true;
	return attempt_of(f, job);
}

/* A probe asks where the name is now, and what got through is not sent to where it was. */
static void a_probe_follows_a_name_that_moved(void **state) {
	struct fixture *f = *state;
	struct receiver *old =
	    receiver_that(BEHAVE_ANSWER, "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n");
	struct receiver *new = receiver_new(
	    &(struct receiver_options){ .address = OTHER_ADDRESS, .port = receiver_port(old) });
	_cleanup_(route_unrefp) struct route *route =
	    route_to_receiver(f, "moved.test", old, false);

	start(f);
	assert_int_equal(attempt(f, route).reason, ATTEMPT_STATUS);
	atomic_store(&moved_address, OTHER_ADDRESS);
	usleep(2100 * 1000); /* curl counts ages in whole seconds */
	assert_int_equal(attempt(f, route).reason, ATTEMPT_STATUS);
	assert_int_equal(receiver_connections(old), 1);
	assert_int_equal(probe(f, route, 1), ATTEMPT_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt(f, route).reason, ATTEMPT_OK);
	assert_int_equal(receiver_requests(old), 2);
	assert_int_equal(receiver_connections(new), 1);
	atomic_store(&moved_address, INADDR_LOOPBACK);
	receiver_free(old);
	receiver_free(new);
}

/* Its own connection is fresh; those of the host's other endpoints stay as they are while it fails.
 */
static void a_failed_probe_leaves_other_connections(void **state) {
	struct fixture *f = *state;
	struct receiver *receiver =
	    receiver_that(BEHAVE_ANSWER, "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n");
	_cleanup_(route_unrefp) struct route *route = route_to_port(f, 1, receiver_port(receiver));

	start(f);
	attempt(f, route);
	usleep(2100 * 1000);
	for (int n = 1; n <= 3; n++)
		assert_int_equal(probe(f, route, n), ATTEMPT_STATUS);
	assert_int_equal(receiver_connections(receiver), 4);
	for (int i = 0; i < 5; i++)
		attempt(f, route);
	assert_int_equal(receiver_connections(receiver), 4);
	receiver_free(receiver);
}

#define CONNECTION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CONNECTION_TEST(large_bodies_keep_their_connection),
		CONNECTION_TEST(a_kept_connection_that_ends_is_no_failure),
		CONNECTION_TEST(authorities_are_read_again),
		CONNECTION_TEST(authorities_that_go_are_trusted_no_more),
		CONNECTION_TEST(connections_are_kept_under_the_new_authorities),
		CONNECTION_TEST(a_thousand_kept_connections_may_end_at_once),
		CONNECTION_TEST(a_fresh_connection_that_ends_is_a_failure),
		CONNECTION_TEST(the_gate_is_asked_before_a_second_sending),
		CONNECTION_TEST(both_sendings_share_the_time),
		CONNECTION_TEST(connections_have_a_lifetime),
		CONNECTION_TEST(a_probe_follows_a_name_that_moved),
		CONNECTION_TEST(a_failed_probe_leaves_other_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
