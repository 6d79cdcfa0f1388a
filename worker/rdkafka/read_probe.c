#include "rdkafka/read_probe.h"

#include "base/clock.h"
#include "rdkafka/client.h"
#include "rdkafka/refusal.h"

static rd_kafka_resp_err_t hear(rd_kafka_t *client) {
	rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR__IN_PROGRESS;
	rd_kafka_message_t *message;

	while (client && answer == RD_KAFKA_RESP_ERR__IN_PROGRESS &&
	       (message = rd_kafka_consumer_poll(client, 0))) {
		if (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			answer = RD_KAFKA_RESP_ERR_NO_ERROR;
		else if (message->rkt && refusal_cause(message->err))
			answer = message->err;
		rd_kafka_message_destroy(message);
	}
	return answer;
}

/* NULL, logged: it is asked again later. */
static rd_kafka_t *begin(const struct config *config, const char *topic) {
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

rd_kafka_resp_err_t read_probe_ask(struct read_probe *probe, const struct config *config,
				   const char *topic) {
	rd_kafka_resp_err_t answer = hear(probe->client);

	if (!answer) {
		read_probe_stop(probe);
		return answer;
	}
	if (backoff_is_over(&probe->backoff, clock_monotonic_ms())) {
		read_probe_refuse(probe);
		client_free(probe->client);
		probe->client = begin(config, topic);
	}
	return answer;
}

void read_probe_stop(struct read_probe *probe) {
	client_free(probe->client);
	*probe = (struct read_probe){ 0 };
}
