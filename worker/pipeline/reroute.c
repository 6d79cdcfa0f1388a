#include "pipeline/reroute.h"

#include "base/log.h"
#include "pipeline/input_topics.h"
#include "rdkafka/headers.h"
#include "rdkafka/refusal.h"

#include <inttypes.h>
#include <stdio.h>

enum { REFUSED_FOR_MS = 10 * 60 * 1000 };

static const char header[] = "posthorn.rerouted.from";

struct reroute reroute_new(bool is_on) {
	return (struct reroute){ .is_on = is_on };
}

bool reroute_may_write(const struct reroute *reroute, enum input input, int64_t now_ms) {
	return now_ms >= reroute->refused_until_ms[input];
}

bool reroute_may(const struct reroute *reroute, enum input input, int64_t now_ms) {
	return reroute->is_on && reroute_may_write(reroute, input, now_ms);
}

void reroute_heed(struct reroute *reroute, const struct transaction_end *ended, int64_t now_ms) {
	for (int input = 0; input < POSITION_INPUTS; input++)
		if (ended->may_not_write[input_topic((enum input)input)])
			reroute->refused_until_ms[input] = now_ms + REFUSED_FOR_MS;
}

bool reroute_was_done(const rd_kafka_message_t *message) {
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;

	return !rd_kafka_message_headers(message, &headers) &&
	       !rd_kafka_header_get_last(headers, header, &value, &len);
}

size_t reroute_bytes(const rd_kafka_message_t *message) {
	return message->key_len + message->len + headers_of(message).bytes;
}

/* Now and then: a producer's setting makes it happen with each of its records. */
static void warn(const rd_kafka_message_t *message, int32_t partition) {
	const char *topic = rd_kafka_topic_name(message->rkt);
	unsigned repeats;

	if (!refusal_is_repeated("hand on", "topic", topic, "partitioner", &repeats))
		log_warn("a record is not in the partition of its key and is handed on: its "
			 "producer should use the partitioner murmur2_random",
			 "topic=%s partition=%d offset=%" PRId64 " right=%d repeats=%u", topic,
			 message->partition, message->offset, partition, repeats);
}

/* The message's own, and where it came from. */
static struct headers headers_with_origin(const rd_kafka_message_t *message) {
	struct headers original = headers_of(message), headers = headers_copy(&original);
	char from[48];

	snprintf(from, sizeof(from), "%d:%" PRId64, message->partition, message->offset);
	headers_add(&headers, header, from, -1);
	return headers;
}

int reroute_write(struct transaction *transaction, enum input input,
		  const rd_kafka_message_t *message, int32_t partition) {
	rd_kafka_timestamp_type_t type;
	struct transaction_record record = {
		.topic = transaction_input_topic(transaction, input_topic(input)),
		.partition = partition,
		.key = message->key,
		.key_len = message->key_len,
		.value = message->payload,
		.value_len = message->len,
		.headers = headers_with_origin(message),
		.timestamp_ms = MAX(rd_kafka_message_timestamp(message, &type), INT64_C(0)),
	};

	warn(message, partition);
	return transaction_produce(transaction, &record);
}
