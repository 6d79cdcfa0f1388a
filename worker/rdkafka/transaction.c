#include "rdkafka/transaction.h"

#include "base/clock.h"
#include "base/fault.h"
#include "rdkafka/refusal.h"

#include <errno.h>

enum {
	CALL_TIMEOUT_MS = 5000,   /* of one call to librdkafka */
	RETRIABLE_FOR_MS = 15000, /* how long the calls of one commit are repeated: past
				     transaction.timeout.ms nothing can come of it */
	INIT_TIMEOUT_MS = 5000,
	ABORTS_IN_A_ROW_MAX = 3, /* R9 */
	COMMIT_SLOW_MS = 2000,   /* R9: a commit slower than this has met timeouts, which can desync
				    sequences in librdkafka 2.0.2 */
};

struct transaction {
	struct client_callbacks callbacks;
	rd_kafka_t *producer;
	char *id; /* transactional.id */
	rd_kafka_topic_t *state, *results, *dead_letters;
	int aborts_in_a_row;
	int64_t ending_since_ms; /* monotonic: when the flush began */
	size_t bytes;
	bool is_initialised, worn, large_letter, large_record, fenced;
};

static void note_too_large(struct transaction *t, const rd_kafka_topic_t *topic) {
	bool is_letter =
	    strcmp(rd_kafka_topic_name(topic), rd_kafka_topic_name(t->dead_letters)) == 0;

	t->large_letter |= is_letter;
	t->large_record |= !is_letter;
}

/* A record's offset goes to where its producer asked for it. */
static void on_produce_report(rd_kafka_t *producer _unused_, const rd_kafka_message_t *message,
			      void *opaque) {
	struct transaction *t = opaque;
	int64_t *offset_out = message->_private;

	if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		note_too_large(t, message->rkt);
	else if (message->err)
		refusal_log(message->err, "Write", "topic", rd_kafka_topic_name(message->rkt));
	if (offset_out && !message->err)
		*offset_out = message->offset;
}

struct transaction *transaction_new(const struct config *config, const struct topics *topics) {
	_cleanup_(transaction_closep) struct transaction *t = x_calloc(1, sizeof(*t));

	t->id = settings_transactional_id(config);
	t->callbacks =
	    (struct client_callbacks){ .opaque = t, .produce_report = on_produce_report };
	t->producer = client_new(config, CLIENT_PRODUCER, &t->callbacks);
	if (!t->producer)
		return NULL;
	/* Handles before use: the first produce to a topic without one waits a second for its
	 * metadata. */
	t->state = rd_kafka_topic_new(t->producer, topics->state, NULL);
	t->results = rd_kafka_topic_new(t->producer, topics->results, NULL);
	t->dead_letters = rd_kafka_topic_new(t->producer, topics->dead_letters, NULL);
	return t->state && t->results && t->dead_letters ? TAKE(t) : NULL;
}

rd_kafka_t *transaction_client(struct transaction *t) {
	return t->producer;
}

/*
 * librdkafka asks for the coordinator until time is over, whatever the brokers answer. Where they
 * answer at all there is none: their topic for transactions could not be made, or is without a
 * leader.
 */
static void explain_timeout(struct transaction *t) {
	static const char operation[] = "find the transaction coordinator";
	const rd_kafka_metadata_t *metadata;
	_cleanup_(x_freep) char *cause = NULL;
	rd_kafka_resp_err_t err =
	    rd_kafka_metadata(t->producer, 0, t->state, &metadata, CALL_TIMEOUT_MS);

	if (err) {
		refusal_log_cause(operation, "transactional id", t->id, "no broker answers");
		return;
	}
	cause = x_asprintf(
	    "the brokers have none: __transaction_state has no leader, or could not be made, since "
	    "transaction.state.log.replication.factor (3 by default) is more than the %d brokers "
	    "that there are",
	    metadata->broker_cnt);
	rd_kafka_metadata_destroy(metadata);
	refusal_log_cause(operation, "transactional id", t->id, cause);
}

int transaction_init(struct transaction *t) {
	rd_kafka_error_t *error;
	bool retriable;

	if (t->is_initialised)
		return 0;
	error = rd_kafka_init_transactions(t->producer, INIT_TIMEOUT_MS);
	if (!error) {
		t->is_initialised = true;
		return 0;
	}
	retriable = rd_kafka_error_is_retriable(error);
	if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__TIMED_OUT)
		explain_timeout(t);
	else if (!refusal_log(rd_kafka_error_code(error), "Write", "transactional id", t->id))
		log_warn("transactions are not ready", "error=%s retriable=%d",
			 log_quote(rd_kafka_error_string(error)), retriable);
	rd_kafka_error_destroy(error);
	return retriable ? -EAGAIN : -EPERM;
}

void transaction_close(struct transaction *t) {
	if (!t)
		return;
	if (t->state)
		rd_kafka_topic_destroy(t->state);
	if (t->results)
		rd_kafka_topic_destroy(t->results);
	if (t->dead_letters)
		rd_kafka_topic_destroy(t->dead_letters);
	client_free(t->producer);
	free(t->id);
	free(t);
}

rd_kafka_topic_t *transaction_state_topic(struct transaction *t) {
	return t->state;
}

rd_kafka_topic_t *transaction_results_topic(struct transaction *t) {
	return t->results;
}

rd_kafka_topic_t *transaction_dead_letters_topic(struct transaction *t) {
	return t->dead_letters;
}

/* What the coordinator says to a member that is none any more: its partitions are others' now,
 * whatever the consumer knows of it yet. */
static bool is_fencing(rd_kafka_resp_err_t err) {
	return err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
	       err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
	       err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

/* Once for each cause, however often it comes: posthorn_transactions_total counts. */
static void log_failed_call(const struct transaction *t, rd_kafka_error_t *error, const char *call,
			    int verdict) {
	const char *then = verdict == -EAGAIN                 ? "retry"
			   : verdict == TRANSACTION_E_ABORTED ? "abort"
							      : "new-producer";
	_cleanup_(x_freep) char *operation = x_asprintf("%s, then %s", call, then);
	unsigned repeats;

	if (!refusal_is_repeated(operation, "transactional id", t->id, rd_kafka_error_name(error),
				 &repeats))
		log_warn("transaction call failed", "call=%s error=%s code=%s then=%s repeats=%u",
			 call, log_quote(rd_kafka_error_string(error)), rd_kafka_error_name(error),
			 then, repeats);
}

/*
 * The one place that reads librdkafka's classes of error (R9): retriable, the same call again;
 * abortable, abort; all else, a new producer. Destroys the error. Returns -EAGAIN for "again".
 */
static int judge(struct transaction *t, rd_kafka_error_t *error, const char *call,
		 int64_t started_ms) {
	bool retriable = rd_kafka_error_is_retriable(error),
	     abortable = rd_kafka_error_txn_requires_abort(error);
	int verdict = retriable && clock_monotonic_ms() - started_ms < RETRIABLE_FOR_MS ? -EAGAIN
		      : abortable ? TRANSACTION_E_ABORTED
				  : TRANSACTION_E_UNKNOWN;

	log_failed_call(t, error, call, verdict);
	if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
		refusal_log(rd_kafka_error_code(error), "Write", "transactional id", t->id);
	t->fenced |= is_fencing(rd_kafka_error_code(error));
	rd_kafka_error_destroy(error);
	return verdict;
}

bool transaction_is_worn(const struct transaction *t) {
	return t->worn;
}

bool transaction_had_large_letter(const struct transaction *t) {
	return t->large_letter;
}

bool transaction_had_large_record(const struct transaction *t) {
	return t->large_record;
}

bool transaction_was_fenced(const struct transaction *t) {
	return t->fenced;
}

int transaction_begin(struct transaction *t) {
	rd_kafka_error_t *error = rd_kafka_begin_transaction(t->producer);

	t->large_letter = t->large_record = t->fenced = false;
	t->bytes = 0;
	return error ? judge(t, error, "begin", INT64_MIN / 2) : 0;
}

size_t transaction_bytes(const struct transaction *t) {
	return t->bytes;
}

int transaction_produce(struct transaction *t, const struct transaction_record *record) {
	int64_t started_ms = clock_monotonic_ms();
	rd_kafka_headers_t *headers = record->headers;

	t->bytes += record->key_len + record->value_len;
	for (;;) {
		rd_kafka_resp_err_t err;
		rd_kafka_vu_t args[8] = {
			{ .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = record->topic },
			{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition },
			{ .vtype = RD_KAFKA_VTYPE_KEY,
			  .u.mem = { (void *)(uintptr_t)record->key, record->key_len } },
			{ .vtype = RD_KAFKA_VTYPE_VALUE,
			  .u.mem = { (void *)(uintptr_t)record->value, record->value_len } },
			{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
			{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = record->offset_out },
			{ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers },
		};
		rd_kafka_error_t *error = rd_kafka_produceva(t->producer, args, headers ? 7 : 6);

		if (!error)
			return 0;
		err = rd_kafka_error_code(error);
		rd_kafka_error_destroy(error);
		if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
		    clock_monotonic_ms() - started_ms < RETRIABLE_FOR_MS) {
			rd_kafka_poll(t->producer, 10);
			continue;
		}
		if (headers)
			rd_kafka_headers_destroy(headers);
		if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
			note_too_large(t, record->topic);
		refusal_log_cause("Write", "topic", rd_kafka_topic_name(record->topic),
				  rd_kafka_err2str(err));
		return TRANSACTION_E_ABORTED;
	}
}

int transaction_flush(struct transaction *t) {
	rd_kafka_resp_err_t err;

	t->ending_since_ms = clock_monotonic_ms();
	do
		err = rd_kafka_flush(t->producer, CALL_TIMEOUT_MS);
	while (err == RD_KAFKA_RESP_ERR__TIMED_OUT &&
	       clock_monotonic_ms() - t->ending_since_ms < RETRIABLE_FOR_MS);
	fault_step("after-flush");
	if (!err)
		return 0;
	refusal_log_cause("flush", "transactional id", t->id, rd_kafka_err2str(err));
	return transaction_abort(t);
}

static int send_offsets(struct transaction *t, const rd_kafka_topic_partition_list_t *offsets,
			const rd_kafka_consumer_group_metadata_t *group, int64_t started_ms) {
	int r;

	do {
		rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(
		    t->producer, offsets, group, CALL_TIMEOUT_MS);

		r = error ? judge(t, error, "send-offsets", started_ms) : 0;
	} while (r == -EAGAIN);
	fault_step("after-offsets");
	return r;
}

static int end(struct transaction *t, rd_kafka_error_t *(*call)(rd_kafka_t *, int),
	       const char *name, int64_t started_ms) {
	int r;

	do {
		rd_kafka_error_t *error = call(t->producer, CALL_TIMEOUT_MS);

		r = error ? judge(t, error, name, started_ms) : 0;
	} while (r == -EAGAIN);
	return r;
}

int transaction_commit(struct transaction *t, const rd_kafka_topic_partition_list_t *offsets,
		       const rd_kafka_consumer_group_metadata_t *group) {
	int64_t started_ms = t->ending_since_ms;
	int r = send_offsets(t, offsets, group, started_ms);

	fault_step("before-kafka-commit");
	if (r == 0)
		r = end(t, rd_kafka_commit_transaction, "commit", started_ms);
	fault_step("after-kafka-commit");
	if (r == TRANSACTION_E_ABORTED)
		return transaction_abort(t);
	if (r == 0)
		t->aborts_in_a_row = 0;
	if (clock_monotonic_ms() - started_ms > COMMIT_SLOW_MS)
		t->worn = true;
	return r;
}

int transaction_abort(struct transaction *t) {
	int r = end(t, rd_kafka_abort_transaction, "abort", clock_monotonic_ms());

	if (++t->aborts_in_a_row >= ABORTS_IN_A_ROW_MAX)
		t->worn = true;
	return r == 0 ? TRANSACTION_E_ABORTED : TRANSACTION_E_UNKNOWN;
}
