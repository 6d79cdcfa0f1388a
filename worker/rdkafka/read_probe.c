#include "rdkafka/read_probe.h"

#include "base/clock.h"
#include "rdkafka/client.h"

enum { PROBE_TIMEOUT_MS = 2000, POLL_MS = 100 };

/* 1: yes, 0: no, -1: not known yet. */
static int heed(const rd_kafka_message_t *message) {
	if (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		return 1;
	return message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ? 0 : -1;
}

static bool reads_the_end(rd_kafka_t *client, const char *topic) {
	int64_t deadline_ms = clock_monotonic_ms() + PROBE_TIMEOUT_MS;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	int answer = -1;

	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_END;
	rd_kafka_assign(client, list);
	rd_kafka_topic_partition_list_destroy(list);
	while (answer < 0 && clock_monotonic_ms() < deadline_ms) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(client, POLL_MS);

		if (!message)
			continue;
		answer = heed(message);
		rd_kafka_message_destroy(message);
	}
	return answer == 1;
}

bool read_probe_may_read(const struct config *config, const char *topic) {
	_cleanup_(client_freep) rd_kafka_t *client = client_new(config, CLIENT_RESTORE, NULL);

	return client && reads_the_end(client, topic);
}
