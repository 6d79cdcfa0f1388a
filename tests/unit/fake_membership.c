#include "fake_membership.h"

#include "base/memory.h"

#include <stdlib.h>

struct fake_membership fake_membership;

/* librdkafka's own would look for an operation of its queue behind the message. */
void rd_kafka_message_destroy(rd_kafka_message_t *message) {
	free(message->payload);
	free(message->key);
	free(message);
}

void fake_membership_add(rd_kafka_topic_t *topic, int32_t partition, int64_t offset,
			 const char *key, const void *value, size_t len) {
	/* librdkafka looks for headers and a timestamp behind what it shows of a message. */
	rd_kafka_message_t *message = x_calloc(1, sizeof(*message) + 1024);
	rd_kafka_message_t **end = &fake_membership.messages;

	message->rkt = topic;
	message->partition = partition;
	message->offset = offset;
	message->key = x_strdup(key);
	message->key_len = strlen(key);
	message->payload = x_calloc(1, len + 1);
	memcpy(message->payload, value, len);
	message->len = len;
	while (*end)
		end = (rd_kafka_message_t **)&(*end)->_private;
	*end = message;
}

void fake_membership_clear(void) {
	membership_release(NULL);
	while (fake_membership.messages) {
		rd_kafka_message_t *message = fake_membership.messages;

		fake_membership.messages = message->_private;
		rd_kafka_message_destroy(message);
	}
}

rd_kafka_message_t *membership_next(struct membership *membership _unused_) {
	rd_kafka_message_t *message = fake_membership.messages;

	if (!message)
		return NULL;
	fake_membership.messages = message->_private;
	fake_membership.taken++;
	return message;
}

void membership_put_back(struct membership *membership _unused_, rd_kafka_message_t *message) {
	message->_private = fake_membership.messages;
	fake_membership.messages = message;
	fake_membership.put_back++;
}

void membership_hold(struct membership *membership _unused_, rd_kafka_message_t *message) {
	message->_private = fake_membership.held;
	fake_membership.held = message;
}

void membership_release(struct membership *membership _unused_) {
	while (fake_membership.held) {
		rd_kafka_message_t *message = fake_membership.held;

		fake_membership.held = message->_private;
		message->_private = fake_membership.messages;
		fake_membership.messages = message;
	}
}

void membership_turn_over(struct membership *membership _unused_) {
}

const rd_kafka_consumer_group_metadata_t *
membership_group(const struct membership *membership _unused_) {
	return fake_membership.has_group ? (const rd_kafka_consumer_group_metadata_t *)"group"
					 : NULL;
}

int32_t membership_generation(const struct membership *membership _unused_) {
	return fake_membership.generation;
}
