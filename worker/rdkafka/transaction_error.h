/* The errors of calls to librdkafka about a transaction: a verdict on each, and words for the log.
 */
#pragma once

#include "base/memory.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

/* librdkafka's classes of error, and the time since the first try of the call. */
struct transaction_failure {
	bool is_retriable, requires_abort;
	bool is_timeout; /* the call's: it goes on without its caller */
	int64_t spent_ms;
};

enum transaction_verdict { TRANSACTION_RETRY, TRANSACTION_ABORT, TRANSACTION_LOSE };

/* Past transaction.timeout.ms (15 s) nothing can come of a further try. */
enum { TRANSACTION_RETRIED_FOR_MS = 15000 };

/*
 * R9, as a function of values: retriable, the same call again; abortable, abort; else LOST. So is a
 * call that timed out, although librdkafka would have it called again: it takes the first result
 * that comes for that of the step it waits for, and those of the call before are still to come.
 * After two timeouts a commit is told as done that has not begun.
 */
enum transaction_verdict transaction_judge(const struct transaction_failure *failure);

/* A call, by what it is told of. */
struct transaction_call {
	const char *name;
	const char *id;                                 /* transactional.id */
	const rd_kafka_topic_partition_list_t *offsets; /* that it sends; NULL: none */
};

/*
 * Judges the error of a call that was first tried `spent_ms` ago, logs it and destroys it. Sets
 * `*is_fenced` where the group no longer knows this member.
 */
enum transaction_verdict transaction_judge_error(const struct transaction_call *call,
						 rd_kafka_error_t *error, int64_t spent_ms,
						 bool *is_fenced);

/* Logs why no coordinator was found in time. Asks the brokers, for some seconds at most. */
void transaction_explain_timeout(rd_kafka_t *producer, rd_kafka_topic_t *state_topic,
				 const char *id);
