#include "pipeline/dead_letter.h"

#include "base/log.h"
#include "base/utf8.h"
#include "rdkafka/headers.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	SHRINK_DIVISOR = 16,
	SHRINK_LEAST = 256, /* below it, nothing is kept */
	KEPT_LOW_MS = 10 * 60 * 1000,
	REASON_MAX = 1024,
	REASON_MAX_SMALLEST = 128, /* of a letter with nothing of the original */
};

struct letter_size letter_fit(const struct letter_size *whole, size_t max) {
	struct letter_size kept = *whole;

	if (kept.key + kept.headers > max)
		kept.headers = 0;
	kept.key = MIN(kept.key, max);
	kept.value = MIN(kept.value, max - kept.key - kept.headers);
	return kept;
}

struct letter_limit letter_limit_new(void) {
	return (struct letter_limit){ .bytes = LETTER_MAX };
}

void letter_limit_refused(struct letter_limit *limit, int64_t now_ms) {
	limit->is_refused = limit->bytes == 0;
	limit->bytes /= SHRINK_DIVISOR;
	if (limit->bytes < SHRINK_LEAST)
		limit->bytes = 0;
	limit->until_ms = now_ms + KEPT_LOW_MS;
}

void letter_limit_renew(struct letter_limit *limit, int64_t now_ms) {
	if (letter_limit_is_low(limit) && now_ms >= limit->until_ms)
		*limit = letter_limit_new();
}

bool letter_limit_is_low(const struct letter_limit *limit) {
	return limit->bytes < LETTER_MAX;
}

static void add_number(struct headers *headers, const char *name, int64_t value) {
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	headers_add(headers, name, text, -1);
}

static void add_place(struct headers *headers, const rd_kafka_message_t *message) {
	rd_kafka_timestamp_type_t type;

	headers_add(headers, "posthorn.error.topic", rd_kafka_topic_name(message->rkt), -1);
	add_number(headers, "posthorn.error.partition", message->partition);
	add_number(headers, "posthorn.error.offset", message->offset);
	add_number(headers, "posthorn.error.timestamp", rd_kafka_message_timestamp(message, &type));
}

int dead_letter_write(struct transaction *transaction, const rd_kafka_message_t *message,
		      const char *reason, const struct letter_limit *limit) {
	size_t reason_len =
	    utf8_prefix_len(reason, limit->bytes > 0 ? REASON_MAX : REASON_MAX_SMALLEST);
	struct headers original = headers_of(message), headers = { 0 };
	struct letter_size whole = { message->key_len, message->len, original.bytes };
	struct letter_size kept = letter_fit(&whole, limit->bytes);
	struct transaction_record record;

	log_warn("dead letter", "topic=%s partition=%d offset=%" PRId64 " reason=%s",
		 rd_kafka_topic_name(message->rkt), message->partition, message->offset,
		 log_quote(reason));
	if (limit->is_refused) {
		log_error("a dead letter is not written: its topic takes not even a few hundred "
			  "bytes; the record lies where it came in",
			  "topic=%s partition=%d offset=%" PRId64,
			  rd_kafka_topic_name(message->rkt), message->partition, message->offset);
		return 0;
	}
	if (kept.headers > 0)
		headers = headers_copy(&original);
	headers_add(&headers, "posthorn.error.reason", reason, (ssize_t)reason_len);
	add_place(&headers, message);
	if (kept.value < whole.value)
		add_number(&headers, "posthorn.error.truncated", (int64_t)whole.value);
	if (kept.key < whole.key)
		add_number(&headers, "posthorn.error.truncated.key", (int64_t)whole.key);
	if (kept.headers < whole.headers)
		add_number(&headers, "posthorn.error.dropped.headers",
			   (int64_t)rd_kafka_header_cnt(original.list));
	record = (struct transaction_record){
		.topic = transaction_dead_letters_topic(transaction),
		.partition = RD_KAFKA_PARTITION_UA,
		.key = message->key,
		.key_len = kept.key,
		.value = message->payload,
		.value_len = kept.value,
		.headers = headers,
	};
	return transaction_produce(transaction, &record);
}
