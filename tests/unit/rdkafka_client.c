/* What librdkafka tells of answers, by its mock brokers: the lease stands on it. */
#include "base/clock.h"
#include "base/memory.h"
#include "rdkafka/client.h"
#include "unit.h"

#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdatomic.h>

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

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(
	    an_answer_is_told_once_and_from_one_thread) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
