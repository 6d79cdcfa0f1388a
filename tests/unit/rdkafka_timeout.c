/*
 * A commit whose time is over before librdkafka's main thread gets to run, by its mock brokers.
 * cnd_timedwait, with which librdkafka waits, is this program's: while librdkafka is held up, the
 * caller's waits end at once, and those of other threads last.
 */
#include "rdkafka/transaction.h"
#include "unit.h"

#include <errno.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>
#include <unistd.h>

enum { TIMEOUTS = 2 }; /* two suffice for a commit that is told of as done */

static pthread_t caller;
static atomic_bool is_held_up;
static atomic_int commits;

/* cnd_t and mtx_t are what glibc makes them of. */
int cnd_timedwait(cnd_t *changed, mtx_t *lock, const struct timespec *until) {
	int r;

	if (is_held_up && pthread_equal(pthread_self(), caller))
		return thrd_timedout;
	r = pthread_cond_timedwait((pthread_cond_t *)changed, (pthread_mutex_t *)lock, until);
	while (is_held_up && !pthread_equal(pthread_self(), caller)) {
		mtx_unlock(lock);
		usleep(1000);
		mtx_lock(lock);
	}
	return r == 0 ? thrd_success : r == ETIMEDOUT ? thrd_timedout : thrd_error;
}

rd_kafka_error_t *__real_rd_kafka_commit_transaction(rd_kafka_t *producer, int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *producer, int timeout_ms);

rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *producer, int timeout_ms) {
	is_held_up = commits++ < TIMEOUTS;
	return __real_rd_kafka_commit_transaction(producer, timeout_ms);
}

static int run(struct transaction *t, const struct topics *topics) {
	static char group_id[] = "worker-1";
	struct transaction_record record = { .topic = transaction_state_topic(t),
					     .key = "key",
					     .key_len = 3,
					     .value = "value",
					     .value_len = 5 };
	rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(group_id);
	rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
	int r;

	rd_kafka_topic_partition_list_add(offsets, topics->admin, 0)->offset = 5;
	assert_int_equal(transaction_begin(t), 0);
	assert_int_equal(transaction_produce(t, &record), 0);
	assert_int_equal(transaction_flush(t), 0);
	r = transaction_commit(t, offsets, group);
	rd_kafka_topic_partition_list_destroy(offsets);
	rd_kafka_consumer_group_metadata_destroy(group);
	return r;
}

static void a_commit_that_timed_out(void **state _unused_) {
	static char count[] = "test.mock.num.brokers", one[] = "1", name[] = "worker-1";
	struct kafka_property kafka = { count, one };
	struct config config = {
		.kafka = &kafka, .kafka_count = 1, .group_id = name, .worker_id = name
	};
	struct topics topics;
	struct transaction *t;
	rd_kafka_mock_cluster_t *brokers;

	caller = pthread_self();
	topics_init(&topics, "");
	t = transaction_new(&config, &topics);
	assert_non_null(t);
	brokers = rd_kafka_handle_mock_cluster(transaction_client(t));
	rd_kafka_mock_topic_create(brokers, topics.state, 1, 1);
	rd_kafka_mock_topic_create(brokers, topics.admin, 1, 1);
	assert_int_equal(transaction_init(t), 0);
	assert_int_equal(run(t, &topics), TRANSACTION_E_FAILED);
	assert_int_equal(commits, 1);
	is_held_up = false;
	assert_int_equal(transaction_end(t).outcome, TRANSACTION_UNKNOWN);
	assert_true(transaction_needs_replacement(t));
	transaction_close(t);
	topics_destroy(&topics);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_that_timed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
