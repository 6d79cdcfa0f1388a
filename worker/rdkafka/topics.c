#include "rdkafka/topics.h"

#include "rdkafka/refusal.h"
#include "rdkafka/topic_names.h"

#include <errno.h>

void topics_init(struct topics *topics, const char *prefix) {
	*topics = (struct topics){
		.admin = topic_name(prefix, TOPIC_ADMIN),
		.issuance = topic_name(prefix, TOPIC_ISSUANCE),
		.events = topic_name(prefix, TOPIC_EVENTS),
		.state = topic_name(prefix, TOPIC_STATE),
		.results = topic_name(prefix, TOPIC_RESULTS),
		.dead_letters = topic_name(prefix, TOPIC_DEAD_LETTERS),
	};
}

void topics_destroy(struct topics *topics) {
	free(topics->admin);
	free(topics->issuance);
	free(topics->events);
	free(topics->state);
	free(topics->results);
	free(topics->dead_letters);
	*topics = (struct topics){ 0 };
}

static const rd_kafka_metadata_topic_t *find_topic(const rd_kafka_metadata_t *metadata,
						   const char *name) {
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (strcmp(metadata->topics[i].topic, name) == 0)
			return &metadata->topics[i];
	return NULL;
}

rd_kafka_resp_err_t topics_ask_why_missing(rd_kafka_t *client, const char *name, int timeout_ms) {
	rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t err = topic ? rd_kafka_metadata(client, 0, topic, &metadata, timeout_ms)
					: rd_kafka_last_error();

	if (topic)
		rd_kafka_topic_destroy(topic);
	if (err)
		return err;
	err = metadata->topic_cnt == 1 ? metadata->topics[0].err
				       : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	rd_kafka_metadata_destroy(metadata);
	return err ? err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

/* The number of partitions of one topic, or 0 after logging why there are none. `*is_hidden`: this
 * principal may not see it. */
static int count_partitions(rd_kafka_t *client, const rd_kafka_metadata_t *metadata,
			    const char *name, int timeout_ms, bool *is_hidden) {
	const rd_kafka_metadata_topic_t *topic = find_topic(metadata, name);
	rd_kafka_resp_err_t err;

	if (topic && topic->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return topic->partition_cnt;
	err = topic ? topic->err : topics_ask_why_missing(client, name, timeout_ms);
	*is_hidden |= err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
	if (err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
		refusal_log_cause(
		    "Describe", "topic", name,
		    "it has no leader: a broker is missing, or the cluster is starting");
	else if (!refusal_log(err, "Describe", "topic", name))
		log_error("topic is not usable: create it with posthorn-admin topics create",
			  "topic=%s error=%s", name, log_quote(rd_kafka_err2str(err)));
	return 0;
}

/* Transient while the cluster starts or elects leaders: worth another try, not a refusal. */
static bool is_transient(const rd_kafka_metadata_t *metadata, const char *name) {
	const rd_kafka_metadata_topic_t *topic = find_topic(metadata, name);

	return topic && topic->err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static int compare_counts(const struct topics *topics, rd_kafka_t *client,
			  const rd_kafka_metadata_t *metadata, int timeout_ms,
			  int32_t *partition_count) {
	const char *const names[] = { topics->state,  topics->admin,   topics->issuance,
				      topics->events, topics->results, topics->dead_letters };
	bool is_hidden = false, is_any_missing = false;
	int counts[ARRAY_LEN(names)], state, admin, issuance, events;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		counts[i] = count_partitions(client, metadata, names[i], timeout_ms, &is_hidden);
		is_any_missing |= !counts[i];
	}
	if (is_any_missing)
		return is_hidden ? -EACCES : TOPICS_E_REFUSED;
	state = counts[0];
	admin = counts[1];
	issuance = counts[2];
	events = counts[3];
	if (admin != state || issuance != state || events != state) {
		log_error("topics must have the same number of partitions",
			  "%s=%d %s=%d %s=%d %s=%d", topics->admin, admin, topics->issuance,
			  issuance, topics->events, events, topics->state, state);
		return TOPICS_E_REFUSED;
	}
	*partition_count = state;
	return 0;
}

int topics_check(const struct topics *topics, rd_kafka_t *client, int timeout_ms,
		 int32_t *partition_count) {
	const char *const names[] = { topics->admin, topics->issuance, topics->events,
				      topics->state, topics->results,  topics->dead_letters };
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t err = rd_kafka_metadata(client, 1, NULL, &metadata, timeout_ms);
	int r;

	if (err)
		return -ETIMEDOUT;
	r = compare_counts(topics, client, metadata, timeout_ms, partition_count);
	for (size_t i = 0; r == TOPICS_E_REFUSED && i < ARRAY_LEN(names); i++)
		if (is_transient(metadata, names[i]))
			r = -EAGAIN;
	rd_kafka_metadata_destroy(metadata);
	return r;
}
