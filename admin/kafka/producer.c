#include "kafka/producer.h"

#include "base/clock.h"
#include "kafka/handle.h"
#include "rdkafka/refusal.h"
#include "rdkafka/report.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	FULL_QUEUE_WAIT_MS = 100,
	FLUSH_STEP_MS = 500,
	SETTINGS_MAX = 4, /* with the empty row that ends them */
	ABORT_TIMEOUT_MS = 5000,
	/* How long what a dead producer left open holds readers up, where no other one follows. */
	TRANSACTION_TIMEOUT_MS = 60 * 1000,
};

struct producer {
	struct kafka_handle handle;
	rd_kafka_topic_t *topic;
	char *transactional_id; /* owned; NULL: none */
	bool is_in_transaction;
	int32_t partition_count;
	int64_t timeout_ms;
	producer_report_fn on_report; /* NULL: none */
	void *on_report_userdata;
	uint64_t acknowledged, lost;
	/* Of a lost record: the last; in a transaction the first, which the others follow. */
	rd_kafka_resp_err_t lost_error;
};

static void on_report(void *userdata, const rd_kafka_message_t *message) {
	struct producer *producer = userdata;
	rd_kafka_resp_err_t error = report_error(message);

	if (error) {
		if (!producer->lost || !producer->transactional_id)
			producer->lost_error = error;
		producer->lost++;
	} else {
		producer->acknowledged++;
	}
	if (producer->on_report && message->_private)
		producer->on_report(producer->on_report_userdata, message->_private,
				    error ? rd_kafka_err2str(error) : NULL);
}

/* After an error in a transaction every call tells of the state that it has left. */
static rd_kafka_resp_err_t first_error(const struct producer *producer, rd_kafka_resp_err_t error) {
	char why[256];
	rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer->handle.rk, why, sizeof(why));

	if (fatal)
		return fatal;
	if (error == RD_KAFKA_RESP_ERR__STATE)
		rd_kafka_flush(producer->handle.rk, FLUSH_STEP_MS); /* the reports of the lost */
	return error == RD_KAFKA_RESP_ERR__STATE && producer->lost ? producer->lost_error : error;
}

static bool is_fenced(rd_kafka_resp_err_t error) {
	return error == RD_KAFKA_RESP_ERR__FENCED || error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
	       error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

static enum admin_status complain_of_transaction(const struct producer *producer,
						 rd_kafka_resp_err_t error) {
	const char *id = producer->transactional_id;

	error = first_error(producer, error);
	if (is_fenced(error)) {
		terminal_complain("another %s has begun since, or this one stood still for a "
				  "minute: it ends",
				  id);
		return ADMIN_REFUSED;
	}
	if (error == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
		return kafka_complain_of(&producer->handle, "Write", "transactional id", id, error);
	return kafka_complain_of(&producer->handle, "Write", "topic",
				 rd_kafka_topic_name(producer->topic), error);
}

static enum admin_status complain(const struct producer *producer, rd_kafka_resp_err_t error) {
	return producer->transactional_id
		   ? complain_of_transaction(producer, error)
		   : kafka_complain_of(&producer->handle, "Write", "topic",
				       rd_kafka_topic_name(producer->topic), error);
}

/* Destroys the error. NULL: none. */
static enum admin_status take_error(const struct producer *producer, rd_kafka_error_t *error) {
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);

	rd_kafka_error_destroy(error);
	return code ? complain(producer, code) : ADMIN_OK;
}

static enum admin_status check_topic(struct producer *producer, int64_t open_ms) {
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t error =
	    rd_kafka_metadata(producer->handle.rk, 0, producer->topic, &metadata, (int)open_ms);

	rd_kafka_poll(producer->handle.rk, 0); /* runs on_error, which keeps the reason */
	if (!error) {
		error = metadata->topics[0].err;
		producer->partition_count = metadata->topics[0].partition_cnt;
		rd_kafka_metadata_destroy(metadata);
	}
	return error ? complain(producer, error) : ADMIN_OK;
}

enum admin_status producer_open(const struct config *config, const struct producer_options *options,
				struct producer **out) {
	_cleanup_(producer_closep) struct producer *producer = x_calloc(1, sizeof(*producer));
	char timeout[32], transaction_timeout[32];
	struct kafka_setting settings[SETTINGS_MAX] = { { "message.timeout.ms", timeout } };
	const struct kafka_handle_options handle_options = { .kind = CLIENT_SENDER,
							     .settings = settings,
							     .on_report = on_report,
							     .on_report_userdata = producer };
	enum admin_status status;

	producer->timeout_ms = options->timeout_ms;
	if (options->transactional_id) {
		producer->transactional_id = x_strdup(options->transactional_id);
		producer->timeout_ms = MIN(options->timeout_ms, (int64_t)TRANSACTION_TIMEOUT_MS);
		settings[1] =
		    (struct kafka_setting){ "transactional.id", producer->transactional_id };
		settings[2] =
		    (struct kafka_setting){ "transaction.timeout.ms", transaction_timeout };
	} else if (options->each_alone) {
		settings[1] = (struct kafka_setting){ "batch.num.messages", "1" };
	}
	snprintf(timeout, sizeof(timeout), "%" PRId64, producer->timeout_ms);
	snprintf(transaction_timeout, sizeof(transaction_timeout), "%d", TRANSACTION_TIMEOUT_MS);
	producer->on_report = options->on_report;
	producer->on_report_userdata = options->on_report_userdata;
	status = kafka_handle_open(&producer->handle, config, &handle_options);
	if (status)
		return status;
	producer->topic = rd_kafka_topic_new(producer->handle.rk, options->topic, NULL);
	status = check_topic(producer, options->open_ms ? options->open_ms : producer->timeout_ms);
	if (!status && producer->transactional_id)
		status = take_error(producer, rd_kafka_init_transactions(
						  producer->handle.rk, (int)producer->timeout_ms));
	if (!status)
		*out = TAKE(producer);
	return status;
}

void producer_close(struct producer *producer) {
	if (producer->is_in_transaction)
		rd_kafka_error_destroy(
		    rd_kafka_abort_transaction(producer->handle.rk, ABORT_TIMEOUT_MS));
	if (producer->topic)
		rd_kafka_topic_destroy(producer->topic);
	kafka_handle_close(&producer->handle);
	free(producer->transactional_id);
	free(producer);
}

static rd_kafka_headers_t *headers_new(const struct produced_record *record) {
	rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);

	for (size_t i = 0; i < record->header_count; i++)
		rd_kafka_header_add(headers, record->headers[i].name, -1, record->headers[i].value,
				    (ssize_t)record->headers[i].len);
	return headers;
}

static rd_kafka_resp_err_t produce(struct producer *producer,
				   const struct produced_record *record) {
	rd_kafka_headers_t *headers;
	rd_kafka_resp_err_t error;

	if (!record->header_count)
		return rd_kafka_produce(producer->topic,
					record->has_partition ? record->partition
							      : RD_KAFKA_PARTITION_UA,
					RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)record->value,
					record->len, record->key, record->key_len, record->tag)
			   ? rd_kafka_last_error()
			   : RD_KAFKA_RESP_ERR_NO_ERROR;
	headers = headers_new(record);
	error = rd_kafka_producev(
	    producer->handle.rk, RD_KAFKA_V_RKT(producer->topic),
	    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(record->key, record->key_len),
	    RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value, record->len),
	    RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(record->tag), RD_KAFKA_V_END);
	if (error) /* else the record owns them */
		rd_kafka_headers_destroy(headers);
	return error;
}

int32_t producer_partition_count(const struct producer *producer) {
	return producer->partition_count;
}

int32_t producer_partition_of(const struct producer *producer, const char *key) {
	return rd_kafka_msg_partitioner_murmur2(producer->topic, key, strlen(key),
						producer->partition_count, NULL, NULL);
}

enum admin_status producer_ask_bounds(struct producer *producer, const char *topic,
				      int32_t partition, int64_t *low, int64_t *high) {
	rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
	    producer->handle.rk, topic, partition, low, high, (int)producer->timeout_ms);

	return error ? kafka_complain_of(&producer->handle, "Describe", "topic", topic, error)
		     : ADMIN_OK;
}

enum admin_status producer_send(struct producer *producer, const struct produced_record *record) {
	rd_kafka_resp_err_t error;

	/* Ends, since each record leaves the queue acknowledged or after message.timeout.ms. */
	while ((error = produce(producer, record)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(producer->handle.rk, FULL_QUEUE_WAIT_MS);
	rd_kafka_poll(producer->handle.rk, 0);
	return error ? complain(producer, error) : ADMIN_OK;
}

enum admin_status producer_flush(struct producer *producer) {
	/* Later than message.timeout.ms, so that lost records are reported as lost. */
	int64_t deadline_ms = clock_monotonic_ms() + producer->timeout_ms + 2 * FLUSH_STEP_MS;
	const char *name = rd_kafka_topic_name(producer->topic);

	while (rd_kafka_flush(producer->handle.rk, FLUSH_STEP_MS) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
		if (producer->transactional_id && producer->lost)
			break;
		if (clock_monotonic_ms() > deadline_ms)
			return kafka_complain_timeout(&producer->handle, name,
						      producer->timeout_ms);
	}
	if (producer->lost && producer->on_report)
		return kafka_status(producer->lost_error);
	return producer->lost ? complain(producer, producer->lost_error) : ADMIN_OK;
}

enum admin_status producer_begin(struct producer *producer) {
	enum admin_status status =
	    take_error(producer, rd_kafka_begin_transaction(producer->handle.rk));

	producer->is_in_transaction = !status;
	return status;
}

enum admin_status producer_commit(struct producer *producer) {
	enum admin_status status = producer_flush(producer);

	if (!status)
		status = take_error(producer, rd_kafka_commit_transaction(
						  producer->handle.rk, (int)producer->timeout_ms));
	if (!status)
		producer->is_in_transaction = false;
	return status;
}

bool producer_is_refused(struct producer *producer) {
	char why[256];
	rd_kafka_resp_err_t error;

	rd_kafka_poll(producer->handle.rk, 0);
	error = rd_kafka_fatal_error(producer->handle.rk, why, sizeof(why));
	if (!error)
		error = producer->lost_error;
	if (!refusal_cause(error))
		return false;
	(void)complain(producer, error);
	return true;
}

uint64_t producer_acknowledged(const struct producer *producer) {
	return producer->acknowledged;
}

uint64_t producer_lost(const struct producer *producer) {
	return producer->lost;
}
