/*
 * The handles of the six topics, all of which a worker's transactions write to. They are made
 * before use: the first record to a topic without one waits a second for its metadata.
 */
#pragma once

#include "rdkafka/topic_names.h"
#include "rdkafka/topics.h"

struct transaction_topics {
	rd_kafka_topic_t *of[TOPIC_COUNT]; /* owned */
};

/* Returns whether all could be made. They are closed in either case, before their producer. */
bool transaction_topics_open(struct transaction_topics *topics, rd_kafka_t *producer,
			     const struct topics *names);
void transaction_topics_close(struct transaction_topics *topics);

/* Which one it is a handle of, of any client; it must be one of the five. */
enum topic transaction_topics_find(const struct transaction_topics *topics,
				   const rd_kafka_topic_t *topic);
