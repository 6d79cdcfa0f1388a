#include "restore/restorer_take.h"

#include "base/clock.h"
#include "base/log.h"
#include "rdkafka/refusal.h"
#include "restore/restorer_begin.h"

enum { TAKE_RECORDS = 20000 /* in one step */, POLL_RECORDS = 500 /* at a time */ };

static bool is_position(const rd_kafka_message_t *message) {
	static const char key[] = "position";

	return message->key_len == strlen(key) && memcmp(message->key, key, message->key_len) == 0;
}

/* Decodes a position record into the arena. Returns NULL for any other. */
static const struct position *decode_position(struct restorer *restorer,
					      const rd_kafka_message_t *message,
					      struct state_record *out) {
	const char *why;

	return codec_decode_state(restorer->settings.codec, restorer->arena, message->payload,
				  message->len, out, &why) == 0 &&
		       out->kind == STATE_POSITION
		   ? &out->position
		   : NULL;
}

static int take_record(struct restorer *restorer, struct restore *restore,
		       const rd_kafka_message_t *message, int64_t now_ms) {
	struct restore_record record = { .offset = message->offset,
					 .is_position = is_position(message),
					 .value = message->payload,
					 .len = message->len };
	struct state_record decoded;
	const char *why;

	if (!restore_wants(restore, message->offset))
		return 0;
	if (record.is_position)
		record.position = decode_position(restorer, message, &decoded);
	why = restore_take_record(restore, &record, now_ms);
	if (why)
		return restorer_begin_again(restorer, restore, why);
	if (!record.is_position)
		fold_put(restorer->fold, restore->source, message->key, message->key_len,
			 message->payload, message->payload ? message->len : 0);
	return 0;
}

/* librdkafka tries again by itself. */
static void handle_refused(struct restorer *restorer, rd_kafka_resp_err_t err) {
	if (refusal_log(err, "Read", "topic", restorer->settings.topics->state))
		restore_metrics_refuse(restorer->settings.metrics, true);
	else
		log_warn("cannot read the changelog", "error=%s", log_quote(rd_kafka_err2str(err)));
}

static int take_message(struct restorer *restorer, const rd_kafka_message_t *message,
			int64_t now_ms) {
	struct restore *restore = message->rkt ? restorer_find(restorer, message->partition) : NULL;

	if (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		restore_metrics_refuse(restorer->settings.metrics, false);
	if (restore && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		restore_take_end(restore, message->offset, now_ms);
	else if (restore && !message->err)
		return take_record(restorer, restore, message, now_ms);
	else if (restore && message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
		return restorer_begin_again(restorer, restore,
					    "the changelog no longer has the replica's offset");
	else if (message->err)
		handle_refused(restorer, message->err);
	return 0;
}

/* Destroys the messages. Those behind a restore that begins again are read again. */
static int take_messages(struct restorer *restorer, rd_kafka_message_t **messages, ssize_t count) {
	int64_t now_ms = clock_monotonic_ms();
	int r = 0;

	for (ssize_t i = 0; i < count; i++) {
		if (r == 0 && !restorer->assignment_stale)
			r = take_message(restorer, messages[i], now_ms);
		rd_kafka_message_destroy(messages[i]);
	}
	arena_reset(restorer->arena);
	return r;
}

int restorer_take(struct restorer *restorer, int64_t deadline_ms) {
	ssize_t taken = 0;

	while (taken < TAKE_RECORDS && !restorer->assignment_stale) {
		rd_kafka_message_t *messages[POLL_RECORDS];
		ssize_t count = rd_kafka_consume_batch_queue(restorer->clients.queue, 0, messages,
							     POLL_RECORDS);
		int r;

		if (count <= 0)
			break;
		taken += count;
		r = take_messages(restorer, messages, count);
		if (r < 0)
			return r;
		if (clock_monotonic_ms() >= deadline_ms)
			break;
	}
	return taken > 0;
}
