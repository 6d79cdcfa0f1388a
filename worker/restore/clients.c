#include "restore/clients.h"

#include <errno.h>

enum {
	ASK_TIMEOUT_MS = 2000,
	/* Records in librdkafka's queue: fewer are less than half of what it may hold. */
	QUEUE_LOW = 20000,
	NUDGE_INTERVAL_MS = 10,
	NUDGE_TIMEOUT_MS = 20,
};

void restore_clients_close(struct restore_clients *clients) {
	if (clients->queue)
		rd_kafka_queue_destroy(clients->queue);
	if (clients->topic)
		rd_kafka_topic_destroy(clients->topic);
	client_free(clients->reader);
	client_free(clients->watermark);
	clients->queue = NULL;
	clients->topic = NULL;
	clients->reader = clients->watermark = NULL;
	clients->knows_leaders = false;
}

int restore_clients_open(struct restore_clients *clients) {
	if (clients->reader)
		return 0;
	clients->reader = client_new(clients->config, CLIENT_RESTORE, NULL);
	clients->watermark = client_new(clients->config, CLIENT_WATERMARK, NULL);
	if (!clients->reader || !clients->watermark)
		return -EPERM;
	clients->queue = rd_kafka_queue_get_consumer(clients->reader);
	clients->topic = rd_kafka_topic_new(clients->reader, clients->topic_name, NULL);
	client_wake_by(clients->queue, clients->wake_fd);
	return 0;
}

rd_kafka_resp_err_t restore_clients_ask_end(struct restore_clients *clients, int32_t partition,
					    int64_t *low, int64_t *high) {
	return rd_kafka_query_watermark_offsets(clients->watermark, clients->topic_name, partition,
						low, high, ASK_TIMEOUT_MS);
}

rd_kafka_resp_err_t restore_clients_ask_leaders(struct restore_clients *clients) {
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t err;

	if (clients->knows_leaders)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	err = rd_kafka_metadata(clients->reader, 0, clients->topic, &metadata, ASK_TIMEOUT_MS);
	if (err)
		return err;
	rd_kafka_metadata_destroy(metadata);
	clients->knows_leaders = true;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void restore_clients_assign(struct restore_clients *clients, const struct restore *restores) {
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);

	for (const struct restore *restore = restores; restore; restore = restore->next)
		if (!restore->at_end && !restore->torn)
			rd_kafka_topic_partition_list_add(list, clients->topic_name,
							  restore->partition)
			    ->offset = restore->next_offset;
	rd_kafka_assign(clients->reader, list);
	rd_kafka_topic_partition_list_destroy(list);
}

int32_t restore_clients_next_nudge(const struct restore *restores, int32_t last) {
	const struct restore *next = NULL;

	for (const struct restore *restore = restores; restore; restore = restore->next)
		if (!restore->at_end && !restore->takeover_at_ms && restore->partition > last &&
		    (!next || restore->partition < next->partition))
			next = restore;
	return next ? next->partition : -1;
}

void restore_clients_nudge(struct restore_clients *clients, const struct restore *restores,
			   int64_t now_ms) {
	int64_t low, high;

	if (now_ms < clients->nudge_at_ms || rd_kafka_queue_length(clients->queue) > QUEUE_LOW)
		return;
	clients->nudge_at_ms = now_ms + NUDGE_INTERVAL_MS;
	clients->nudged_partition = restore_clients_next_nudge(restores, clients->nudged_partition);
	if (clients->nudged_partition >= 0)
		(void)rd_kafka_query_watermark_offsets(clients->reader, clients->topic_name,
						       clients->nudged_partition, &low, &high,
						       NUDGE_TIMEOUT_MS);
}
