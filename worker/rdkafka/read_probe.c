#include "rdkafka/read_probe.h"

#include "base/clock.h"
#include "rdkafka/client.h"

static bool hears_yes(rd_kafka_t *client) {
	rd_kafka_message_t *message;
	bool is_read = false;

	while (client && !is_read && (message = rd_kafka_consumer_poll(client, 0))) {
		is_read = !message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		rd_kafka_message_destroy(message);
	}
	return is_read;
}

/* NULL, logged: it is asked again later. */
static rd_kafka_t *ask(const struct config *config, const char *topic) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_t *client = client_new(config, CLIENT_RESTORE, NULL);

	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_END;
	if (client)
		rd_kafka_assign(client, list);
	rd_kafka_topic_partition_list_destroy(list);
	return client;
}

void read_probe_refuse(struct read_probe *probe) {
	backoff_refuse(&probe->backoff, clock_monotonic_ms());
}

bool read_probe_may_read(struct read_probe *probe, const struct config *config, const char *topic) {
	if (hears_yes(probe->client)) {
		read_probe_stop(probe);
		return true;
	}
	if (backoff_is_over(&probe->backoff, clock_monotonic_ms())) {
		read_probe_refuse(probe);
		client_free(probe->client);
		probe->client = ask(config, topic);
	}
	return false;
}

void read_probe_stop(struct read_probe *probe) {
	client_free(probe->client);
	*probe = (struct read_probe){ 0 };
}
