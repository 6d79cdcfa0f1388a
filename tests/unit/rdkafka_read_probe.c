/* Whether a topic may be read, by librdkafka's mock brokers. */
#include "base/clock.h"
#include "rdkafka/client.h"
#include "rdkafka/read_probe.h"
#include "unit.h"

#include <librdkafka/rdkafka_mock.h>
#include <poll.h>

/* FETCH: Source: Kafka protocol guide, api keys. */
enum { FETCH = 1, DEADLINE_MS = 60 * 1000, RTT_MS = 100 };

struct fixture {
	rd_kafka_t *brokers;
	struct kafka_property kafka[1];
	struct config config; /* of who asks */
	struct read_probe probe;
};

static rd_kafka_mock_cluster_t *cluster(const struct fixture *f) {
	return rd_kafka_handle_mock_cluster(f->brokers);
}

static int setup(void **state) {
	static char count[] = "test.mock.num.brokers", one[] = "1", name[] = "g",
		    servers[] = "bootstrap.servers";
	struct kafka_property mock = { count, one };
	struct config config = { .kafka = &mock, .kafka_count = 1, .group_id = name };
	struct fixture *f = x_calloc(1, sizeof(*f));

	f->brokers = client_new(&config, CLIENT_PRODUCER, NULL);
	assert_non_null(f->brokers);
	rd_kafka_mock_topic_create(cluster(f), "inputs", 1, 1);
	rd_kafka_mock_broker_set_rtt(cluster(f), 1, RTT_MS);
	f->kafka[0] = (struct kafka_property){
		servers, (char *)(uintptr_t)rd_kafka_mock_cluster_bootstraps(cluster(f))
	};
	f->config = (struct config){ .kafka = f->kafka, .kafka_count = 1, .group_id = name };
	*state = f;
	return 0;
}

static int teardown(void **state) {
	struct fixture *f = *state;

	read_probe_stop(&f->probe);
	client_free(f->brokers);
	free(f);
	return 0;
}

static rd_kafka_resp_err_t look(struct fixture *f) {
	return read_probe_ask(&f->probe, &f->config, "inputs");
}

/* Until there is an answer. */
static rd_kafka_resp_err_t wait_answer(struct fixture *f) {
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
	rd_kafka_resp_err_t answer;

	while ((answer = look(f)) == RD_KAFKA_RESP_ERR__IN_PROGRESS) {
		assert_true(clock_monotonic_ms() < deadline_ms);
		poll(NULL, 0, 10);
	}
	return answer;
}

/* The brokers take longer to answer than two calls one after the other do. */
static void nobody_waits_for_an_answer(void **state) {
	struct fixture *f = *state;

	assert_int_equal(look(f), RD_KAFKA_RESP_ERR__IN_PROGRESS);
	assert_non_null(f->probe.client);
	assert_int_equal(look(f), RD_KAFKA_RESP_ERR__IN_PROGRESS);
	assert_int_equal(wait_answer(f), RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_null(f->probe.client);
	assert_int_equal(f->probe.backoff.failures, 0);
}

static void what_was_refused_is_asked_for_after_a_pause(void **state) {
	struct fixture *f = *state;

	read_probe_refuse(&f->probe);
	assert_int_equal(look(f), RD_KAFKA_RESP_ERR__IN_PROGRESS);
	assert_null(f->probe.client);
	f->probe.backoff.until_ms = clock_monotonic_ms();
	assert_int_equal(look(f), RD_KAFKA_RESP_ERR__IN_PROGRESS);
	assert_non_null(f->probe.client);
	assert_false(backoff_is_over(&f->probe.backoff, clock_monotonic_ms()));
}

static void an_error_is_no_answer_and_a_grant_is_one(void **state) {
	struct fixture *f = *state;

	rd_kafka_mock_push_request_errors(cluster(f), FETCH, 2,
					  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
					  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(wait_answer(f), RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_int_equal(f->probe.backoff.failures, 0);
}

#define PROBE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		PROBE_TEST(nobody_waits_for_an_answer),
		PROBE_TEST(what_was_refused_is_asked_for_after_a_pause),
		PROBE_TEST(an_error_is_no_answer_and_a_grant_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
