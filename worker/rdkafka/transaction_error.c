#include "rdkafka/transaction_error.h"

#include "base/log.h"
#include "rdkafka/refusal.h"

#include <string.h>

enum { METADATA_TIMEOUT_MS = 5000 };

enum transaction_verdict transaction_judge(const struct transaction_failure *failure) {
	if (failure->is_timeout)
		return TRANSACTION_LOSE;
	if (failure->is_retriable && failure->spent_ms < TRANSACTION_RETRIED_FOR_MS)
		return TRANSACTION_RETRY;
	return failure->requires_abort ? TRANSACTION_ABORT : TRANSACTION_LOSE;
}

/*
 * Thus a coordinator answers a member that is none any more: its partitions are others', whatever
 * the consumer knows of it yet.
 */
static bool is_fencing(rd_kafka_resp_err_t err) {
	return err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
	       err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
	       err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

/* An input that may not be read has no offsets either. The text names it: "TOPIC[PARTITION]". */
static void explain_offsets(const rd_kafka_topic_partition_list_t *offsets,
			    const rd_kafka_error_t *error) {
	const char *text = rd_kafka_error_string(error);

	for (int i = 0; i < offsets->cnt; i++) {
		const char *topic = offsets->elems[i].topic;
		const char *found = strstr(text, topic);

		if (found && found[strlen(topic)] == '[')
			refusal_log(rd_kafka_error_code(error), "Read", "topic", topic);
	}
}

/* Once for each cause, however often it comes: posthorn_transactions_total counts. */
static void log_failed_call(const struct transaction_call *call, const rd_kafka_error_t *error,
			    enum transaction_verdict verdict) {
	static const char *const then[] = { [TRANSACTION_RETRY] = "retry",
					    [TRANSACTION_ABORT] = "abort",
					    [TRANSACTION_LOSE] = "new-producer" };
	_cleanup_(x_freep) char *operation = x_asprintf("%s, then %s", call->name, then[verdict]);
	const char *name = rd_kafka_error_name(error);
	unsigned repeats;

	if (!refusal_is_repeated(operation, "transactional id", call->id, name, &repeats))
		log_warn("transaction call failed", "call=%s error=%s code=%s then=%s repeats=%u",
			 call->name, log_quote(rd_kafka_error_string(error)), name, then[verdict],
			 repeats);
	if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
		refusal_log(rd_kafka_error_code(error), "Write", "transactional id", call->id);
	if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED &&
	    call->offsets)
		explain_offsets(call->offsets, error);
}

enum transaction_verdict transaction_judge_error(const struct transaction_call *call,
						 rd_kafka_error_t *error, int64_t spent_ms,
						 bool *is_fenced) {
	struct transaction_failure failure = {
		.is_retriable = rd_kafka_error_is_retriable(error),
		.requires_abort = rd_kafka_error_txn_requires_abort(error),
		.is_timeout = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT,
		.spent_ms = spent_ms,
	};
	enum transaction_verdict verdict = transaction_judge(&failure);

	log_failed_call(call, error, verdict);
	*is_fenced |= is_fencing(rd_kafka_error_code(error));
	rd_kafka_error_destroy(error);
	return verdict;
}

/*
 * librdkafka asks for the coordinator until time is over, whatever the brokers answer. Where they
 * answer at all there is none: their topic for transactions could not be made, or has no leader.
 */
void transaction_explain_timeout(rd_kafka_t *producer, rd_kafka_topic_t *state_topic,
				 const char *id) {
	static const char operation[] = "find the transaction coordinator";
	const rd_kafka_metadata_t *metadata;
	_cleanup_(x_freep) char *cause = NULL;
	rd_kafka_resp_err_t err =
	    rd_kafka_metadata(producer, 0, state_topic, &metadata, METADATA_TIMEOUT_MS);

	if (err) {
		refusal_log_cause(operation, "transactional id", id, "no broker answers");
		return;
	}
	cause =
	    x_asprintf("the brokers have none: __transaction_state has no leader, or could not be "
		       "made, since transaction.state.log.replication.factor (3 by default) is "
		       "more than the %d brokers that there are",
		       metadata->broker_cnt);
	rd_kafka_metadata_destroy(metadata);
	refusal_log_cause(operation, "transactional id", id, cause);
}
