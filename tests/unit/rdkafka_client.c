/* What librdkafka tells of answers, by its mock brokers: the lease stands on it. And the making of
 * a client while the clock is set. */
#include "base/clock.h"
#include "base/memory.h"
#include "rdkafka/client.h"
#include "unit.h"

#include <dlfcn.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>

/* Source: Kafka protocol guide, api keys. */
enum { HEARTBEAT = 12, SYNC_GROUP = 14 };
enum { HEARTBEATS = 5, DEADLINE_MS = 60000 };

struct heard {
	atomic_int heartbeats, syncs, strangers;
	pthread_t thread; /* from which the first answer of the coordinator was told */
};

static void on_answered(int16_t api_key, int64_t rtt_us _unused_, void *opaque) {
	struct heard *heard = opaque;

	if (api_key != HEARTBEAT && api_key != SYNC_GROUP)
		return;
	if (atomic_load(&heard->heartbeats) + atomic_load(&heard->syncs) == 0)
		heard->thread = pthread_self();
	else if (!pthread_equal(heard->thread, pthread_self()))
		atomic_fetch_add(&heard->strangers, 1);
	atomic_fetch_add(api_key == HEARTBEAT ? &heard->heartbeats : &heard->syncs, 1);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t what,
			 rd_kafka_topic_partition_list_t *partitions, void *opaque _unused_) {
	rd_kafka_assign(client, what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? partitions : NULL);
}

/* The mock brokers of librdkafka 2.8 make no topic by themselves for who asks for none to be made;
 * those of 2.0.2 do. */
static void make_topic(rd_kafka_t *client) {
	assert_int_equal(
	    rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(client), "inputs", 1, 1),
	    RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void join(rd_kafka_t *client) {
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(topics, "inputs", RD_KAFKA_PARTITION_UA);
	assert_int_equal(rd_kafka_subscribe(client, topics), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_topic_partition_list_destroy(topics);
}

static void an_answer_is_told_once_and_from_one_thread(void **state _unused_) {
	char brokers[] = "test.mock.num.brokers", one[] = "1", interval[] = "heartbeat.interval.ms",
	     short_ms[] = "50", name[] = "worker-1";
	struct kafka_property kafka[] = { { brokers, one }, { interval, short_ms } };
	struct config config = {
		.kafka = kafka, .kafka_count = ARRAY_LEN(kafka), .group_id = name, .worker_id = name
	};
	struct heard heard = { 0 };
	struct client_callbacks callbacks = { .opaque = &heard,
					      .rebalance = on_rebalance,
					      .answered = on_answered };
	_cleanup_(client_freep) rd_kafka_t *client = client_new(&config, CLIENT_GROUP, &callbacks);
	int64_t deadline_us = clock_monotonic_us() + DEADLINE_MS * 1000LL;

	assert_non_null(client);
	make_topic(client);
	join(client);
	while (atomic_load(&heard.heartbeats) < HEARTBEATS && clock_monotonic_us() < deadline_us) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 20);

		if (message)
			rd_kafka_message_destroy(message);
	}
	assert_true(atomic_load(&heard.heartbeats) >= HEARTBEATS);
	assert_int_equal(atomic_load(&heard.syncs), 1);
	assert_int_equal(atomic_load(&heard.strangers), 0);
}

/* librdkafka's waiting for its new threads: over at once, as when the clock was set forward
 * meanwhile. */
static _Thread_local int waits_over;
static _Thread_local int waits_ended;

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
	static int (*original)(cnd_t *, mtx_t *, const struct timespec *);

	if (waits_over > 0) {
		waits_over--;
		waits_ended++;
		return thrd_timedout;
	}
	if (!original)
		original = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(
		    RTLD_NEXT, "cnd_timedwait");
	return original(condition, mutex, until);
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
static void __lsan_disable(void) {
}

static void __lsan_enable(void) {
}
#endif

/* librdkafka abandons a client that it gave up on. */
static rd_kafka_t *new_client(const struct config *config, enum client_kind kind) {
	rd_kafka_t *client;

	__lsan_disable();
	client = client_new(config, kind, NULL);
	__lsan_enable();
	return client;
}

/* Its threads may be there before they are waited for: so it is tried some times. */
static void a_clock_that_is_set_costs_a_try(void **state _unused_) {
	char name[] = "worker-1";
	struct config config = { .group_id = name, .worker_id = name };
	static const enum client_kind kinds[] = { CLIENT_RESTORE, CLIENT_PRODUCER };

	for (int i = 0; i < 40 && waits_ended < 4; i++) {
		rd_kafka_t *client;

		waits_over = 1;
		client = new_client(&config, kinds[i % ARRAY_LEN(kinds)]);
		waits_over = 0;
		assert_non_null(client);
		client_free(client);
	}
	assert_true(waits_ended > 0);
}

static void it_is_not_tried_for_ever(void **state _unused_) {
	char name[] = "worker-1";
	struct config config = { .group_id = name, .worker_id = name };

	waits_over = 1000;
	client_free(new_client(&config, CLIENT_RESTORE));
	assert_true(waits_over > 900);
	waits_over = 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_told_once_and_from_one_thread),
		cmocka_unit_test(a_clock_that_is_set_costs_a_try),
		cmocka_unit_test(it_is_not_tried_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
