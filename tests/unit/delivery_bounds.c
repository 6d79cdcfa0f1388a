/* Endpoints side by side: bounds in flight, slow names, many jobs, few descriptors. */
#include "base/clock.h"
#include "delivery/scheduler.h"
#include "delivery_fixture.h"
#include "unit.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

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
	/* A full host holds up no other. */
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

/* Every host may keep its connections, but not all of them all: descriptors are finite. Both ends
 * of a connection are here, so the limit has room for twice CONNECTIONS_MAX. The last test, for it
 * lowers the limit for good. */
static void few_descriptors_suffice_for_many_hosts(void **state) {
	enum { HOSTS = 300, DESCRIPTORS = 480, CONNECTIONS_MAX = (DESCRIPTORS - 256) * 3 / 4 };
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
		ENGINE_TEST(a_hanging_endpoint_holds_up_no_other),
		ENGINE_TEST(a_slow_name_holds_up_no_other),
		ENGINE_TEST(an_endpoint_has_its_bound),
		ENGINE_TEST(a_host_has_its_bound),
		ENGINE_TEST(all_endpoints_have_a_bound),
		ENGINE_TEST(many_jobs_are_counted_once),
		ENGINE_TEST(few_descriptors_suffice_for_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
