/* The takeover of a dead worker's transaction, by librdkafka's mock brokers. */
#include "rdkafka/client.h"
#include "rdkafka/group_members.h"
#include "rdkafka/takeover.h"
#include "unit.h"

#include <errno.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>

enum {
	COORDINATOR = 2,
	RECONNECTED_MS = 3000, /* with the longest back-off that the client is given */
};

static rd_kafka_resp_err_t ask_for_metadata(rd_kafka_t *client, int *brokers) {
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t err = rd_kafka_metadata(client, 0, NULL, &metadata, 1000);

	if (err)
		return err;
	*brokers = metadata->broker_cnt;
	rd_kafka_metadata_destroy(metadata);
	return 0;
}

/* A request to the coordinator alone would end the process then (rdkafka/group_members.h). */
static void a_coordinator_that_comes_back_late(void **state _unused_) {
	struct kafka_property kafka[] = {
		{ (char[]){ "test.mock.num.brokers" }, (char[]){ "2" } },
		{ (char[]){ "reconnect.backoff.max.ms" }, (char[]){ "500" } },
	};
	struct config config = { .kafka = kafka, .kafka_count = 2, .group_id = (char[]){ "g" } };
	rd_kafka_t *client = client_new(&config, CLIENT_PRODUCER, NULL);
	rd_kafka_mock_cluster_t *cluster;
	int brokers = 0;

	assert_non_null(client);
	cluster = rd_kafka_handle_mock_cluster(client);
	assert_non_null(cluster);
	rd_kafka_mock_coordinator_set(cluster, "group", "g", COORDINATOR);
	assert_int_equal(ask_for_metadata(client, &brokers), 0);
	assert_int_equal(brokers, 2);
	rd_kafka_mock_broker_set_down(cluster, COORDINATOR);
	assert_int_equal(takeover_end_transaction(&config, NULL, client, "dead"), -EAGAIN);
	rd_kafka_mock_broker_set_up(cluster, COORDINATOR);
	poll(NULL, 0, RECONNECTED_MS);
	client_free(client);
}

/* A static member's id is its worker.id and a UUID. */
static void a_member_is_known_by_its_id(void **state _unused_) {
	static char id[] = "worker-1-4a39a17e-9bb1-4d9a-8f7d-0123456789ab";
	struct rd_kafka_group_member_info member = { .member_id = id };
	struct rd_kafka_group_info group = { .members = &member, .member_cnt = 1 };

	assert_true(group_has_worker(&group, "worker-1"));
	assert_false(group_has_worker(&group, "worker-"));
	assert_false(group_has_worker(&group, "worker-11"));
	assert_false(group_has_worker(&group, id));
	group.member_cnt = 0;
	assert_false(group_has_worker(&group, "worker-1"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_coordinator_that_comes_back_late),
		cmocka_unit_test(a_member_is_known_by_its_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
