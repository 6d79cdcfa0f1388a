#include "pipeline/topics.h"

#include <errno.h>

void topics_init(struct topics *topics, const char *prefix) {
	const char *p = prefix ? prefix : "";

	*topics = (struct topics){
		.admin = x_asprintf("%swebhook-admin", p),
		.issuance = x_asprintf("%scredential-issuance", p),
		.state = x_asprintf("%swebhook-state", p),
		.results = x_asprintf("%swebhook-results", p),
		.dead_letters = x_asprintf("%swebhook-dead-letters", p),
	};
}

void topics_destroy(struct topics *topics) {
	free(topics->admin);
	free(topics->issuance);
	free(topics->state);
	free(topics->results);
	free(topics->dead_letters);
	*topics = (struct topics){ 0 };
}

static const rd_kafka_metadata_topic_t *find_topic(const rd_kafka_metadata_t *metadata, const char *name) {
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (strcmp(metadata->topics[i].topic, name) == 0)
			return &metadata->topics[i];
	return NULL;
}

/* The number of partitions of one topic, or 0 after logging why there are none. */
static int count_partitions(const rd_kafka_metadata_t *metadata, const char *name) {
	const rd_kafka_metadata_topic_t *topic = find_topic(metadata, name);

	if (topic && topic->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return topic->partition_cnt;
	log_error("topic is not usable: create it with posthorn-admin topics create", "topic=%s error=%s", name,
		  log_quote(topic ? rd_kafka_err2str(topic->err) : "unknown topic"));
	return 0;
}

/* Transient while the cluster starts or elects leaders: worth another try, not a refusal. */
static bool is_transient(const rd_kafka_metadata_t *metadata, const char *name) {
	const rd_kafka_metadata_topic_t *topic = find_topic(metadata, name);

	return topic && topic->err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static int compare_counts(const struct topics *topics, const rd_kafka_metadata_t *metadata, int32_t *partition_count) {
	int state = count_partitions(metadata, topics->state);
	int admin = count_partitions(metadata, topics->admin);
	int issuance = count_partitions(metadata, topics->issuance);
	int results = count_partitions(metadata, topics->results);
	int dead_letters = count_partitions(metadata, topics->dead_letters);

	if (!state || !admin || !issuance || !results || !dead_letters)
		return TOPICS_E_REFUSED;
	if (admin != state || issuance != state) {
		log_error("topics must have the same number of partitions", "%s=%d %s=%d %s=%d", topics->admin, admin,
			  topics->issuance, issuance, topics->state, state);
		return TOPICS_E_REFUSED;
	}
	*partition_count = state;
	return 0;
}

int topics_check(const struct topics *topics, rd_kafka_t *client, int timeout_ms, int32_t *partition_count) {
	const char *const names[] = { topics->admin, topics->issuance, topics->state, topics->results, topics->dead_letters };
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t err = rd_kafka_metadata(client, 1, NULL, &metadata, timeout_ms);
	int r;

	if (err) {
		log_warn("no answer from the brokers yet", "error=%s", log_quote(rd_kafka_err2str(err)));
		return -EAGAIN;
	}
	r = compare_counts(topics, metadata, partition_count);
	for (size_t i = 0; r == TOPICS_E_REFUSED && i < ARRAY_LEN(names); i++)
		if (is_transient(metadata, names[i]))
			r = -EAGAIN;
	rd_kafka_metadata_destroy(metadata);
	return r;
}
