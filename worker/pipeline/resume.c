#include "pipeline/resume.h"

#include "base/number.h"
#include "rdkafka/headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char header[] = "posthorn.resumed.from";

enum { TIME_TEXT_SIZE = 24 };

int64_t resume_from_ms(const rd_kafka_message_t *message) {
	char text[TIME_TEXT_SIZE] = { 0 };
	rd_kafka_headers_t *headers;
	const void *value;
	int64_t from_ms;
	size_t len;

	if (rd_kafka_message_headers(message, &headers) ||
	    rd_kafka_header_get_last(headers, header, &value, &len) || !value ||
	    len >= sizeof(text))
		return 0;
	memcpy(text, value, len);
	return number_parse(text, 1, INT64_MAX, &from_ms) ? 0 : from_ms;
}

int resume_write(struct transaction *transaction, rd_kafka_topic_t *topic,
		 const rd_kafka_message_t *message, int64_t from_ms) {
	struct headers original = headers_of(message), headers = headers_copy(&original);
	rd_kafka_timestamp_type_t type;
	struct transaction_record record = {
		.topic = topic,
		.partition = message->partition,
		.key = message->key,
		.key_len = message->key_len,
		.value = message->payload,
		.value_len = message->len,
		.timestamp_ms = MAX(rd_kafka_message_timestamp(message, &type), INT64_C(0)),
	};
	char text[TIME_TEXT_SIZE];

	if (headers.list)
		rd_kafka_header_remove(headers.list, header);
	snprintf(text, sizeof(text), "%" PRId64, from_ms);
	headers_add(&headers, header, text, -1);
	record.headers = headers;
	return transaction_produce(transaction, &record);
}
