#include "rdkafka/transaction_topics.h"

#include "base/invariant.h"

bool transaction_topics_open(struct transaction_topics *topics, rd_kafka_t *producer,
			     const struct topics *names) {
	const char *const of[TOPIC_COUNT] = {
		[TOPIC_ADMIN] = names->admin,   [TOPIC_ISSUANCE] = names->issuance,
		[TOPIC_EVENTS] = names->events, [TOPIC_RESULTS] = names->results,
		[TOPIC_STATE] = names->state,   [TOPIC_DEAD_LETTERS] = names->dead_letters,
	};
	bool has_all = true;

	for (int i = 0; i < TOPIC_COUNT; i++) {
		topics->of[i] = rd_kafka_topic_new(producer, of[i], NULL);
		has_all &= topics->of[i] != NULL;
	}
	return has_all;
}

void transaction_topics_close(struct transaction_topics *topics) {
	for (int i = 0; i < TOPIC_COUNT; i++)
		if (topics->of[i])
			rd_kafka_topic_destroy(topics->of[i]);
}

enum topic transaction_topics_find(const struct transaction_topics *topics,
				   const rd_kafka_topic_t *topic) {
	const char *name = rd_kafka_topic_name(topic);

	for (int i = 0; i < TOPIC_COUNT; i++)
		if (strcmp(rd_kafka_topic_name(topics->of[i]), name) == 0)
			return (enum topic)i;
	impossible("a transaction writes to the worker's topics");
}
