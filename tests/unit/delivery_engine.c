/* The engine and its owner: gate, lease, dropped and moved endpoints, the stop. */
#include "base/clock.h"
#include "delivery_fixture.h"
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

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

/* Jobs that wait behind a busy endpoint come back as soon as the gate closes; those in flight end
 * by themselves. */
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

/* A job that may not be sent any more when its connection is there. */
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

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(only_jobs_of_the_admitted_epoch_are_attempted),
		ENGINE_TEST(a_closed_gate_returns_waiting_jobs),
		ENGINE_TEST(the_gate_may_close_while_connecting),
		ENGINE_TEST(jobs_wait_for_a_lease),
		ENGINE_TEST(the_lease_may_end_while_connecting),
		ENGINE_TEST(a_dropped_endpoint_returns_its_jobs),
		ENGINE_TEST(a_moved_endpoint_has_a_queue_of_its_own),
		ENGINE_TEST(a_stop_ends_within_its_grace),
		ENGINE_TEST(a_stop_lets_attempts_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
