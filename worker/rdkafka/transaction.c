#include "rdkafka/transaction.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/invariant.h"
#include "rdkafka/refusal.h"
#include "rdkafka/report.h"
#include "rdkafka/throttle.h"
#include "rdkafka/transaction_error.h"
#include "rdkafka/transaction_topics.h"

#include <errno.h>

enum {
	FLUSH_STEP_MS = 500, /* a refusal is not waited for */
	INIT_TIMEOUT_MS = 5000,
	ABORTS_IN_A_ROW_MAX = 3, /* R9 */
	/* R9: a slower commit met timeouts, which can desync sequences in librdkafka 2.0.2. */
	COMMIT_SLOW_MS = 2000,
};

enum state { STATE_NEW, STATE_IDLE, STATE_OPEN, STATE_FLUSHED, STATE_FAILED, STATE_LOST };

#define TO(state) (1u << (state))

/* The drawing of transaction.h. */
static const struct {
	const char *name;
	unsigned allowed;
} states[] = {
	[STATE_NEW] = { "new", TO(STATE_IDLE) | TO(STATE_LOST) },
	[STATE_IDLE] = { "idle", TO(STATE_OPEN) | TO(STATE_LOST) },
	[STATE_OPEN] = { "open",
			 TO(STATE_FLUSHED) | TO(STATE_FAILED) | TO(STATE_IDLE) | TO(STATE_LOST) },
	[STATE_FLUSHED] = { "flushed", TO(STATE_IDLE) | TO(STATE_FAILED) | TO(STATE_LOST) },
	[STATE_FAILED] = { "failed", TO(STATE_IDLE) | TO(STATE_LOST) },
	[STATE_LOST] = { "lost", 0 },
};

struct transaction {
	struct client_callbacks callbacks;
	rd_kafka_t *producer;
	char *id; /* transactional.id */
	struct transaction_topics topics;
	struct throttle throttle;
	enum state state;
	bool is_begun;              /* and its end is still to come */
	struct transaction_end end; /* of the transaction that is begun, as far as it is known */
	bool may_lack_records;      /* librdkafka told of success without an offset */
	int aborts_in_a_row;
	bool is_worn;            /* its sequence numbers may not be the brokers' (R9) */
	int64_t ending_since_ms; /* monotonic: when the flush began */
	size_t bytes, taken;
};

/* Making. */

static void note_too_large(struct transaction *t, const rd_kafka_topic_t *topic) {
	if (transaction_topics_find(&t->topics, topic) == TOPIC_DEAD_LETTERS)
		t->end.has_large_letter = true;
	else
		t->end.has_large_record = true;
}

/* A record's offset goes to where its producer asked for it. */
static void on_produce_report(rd_kafka_t *producer _unused_, const rd_kafka_message_t *message,
			      void *opaque) {
	struct transaction *t = opaque;
	int64_t *offset_out = message->_private;
	rd_kafka_resp_err_t err = report_error(message);

	if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		note_too_large(t, message->rkt);
	else if (err == RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER)
		t->is_worn = t->may_lack_records = true;
	else if (err)
		refusal_log(err, "Write", "topic", rd_kafka_topic_name(message->rkt));
	if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		t->end.may_not_write[transaction_topics_find(&t->topics, message->rkt)] = true;
	if (!err)
		t->taken += message->key_len + message->len;
	if (offset_out && !err)
		*offset_out = message->offset;
}

static void on_throttled(rd_kafka_t *producer _unused_, const char *broker, int32_t id _unused_,
			 int ms, void *opaque) {
	struct transaction *t = opaque;
	unsigned repeats;

	throttle_note(&t->throttle, ms, clock_monotonic_ms());
	if (ms > 0 && !refusal_is_repeated("throttle", "broker", broker, "quota", &repeats))
		log_warn("Kafka throttles the worker by a quota (producer_byte_rate): turns become "
			 "smaller",
			 "broker=%s ms=%d repeats=%u", broker, ms, repeats);
}

struct transaction *transaction_new(const struct config *config, const struct topics *topics) {
	_cleanup_(transaction_closep) struct transaction *t = x_calloc(1, sizeof(*t));

	t->id = settings_transactional_id(config);
	t->callbacks = (struct client_callbacks){ .opaque = t,
						  .produce_report = on_produce_report,
						  .throttled = on_throttled };
	t->producer = client_new(config, CLIENT_PRODUCER, &t->callbacks);
	if (!t->producer)
		return NULL;
	return transaction_topics_open(&t->topics, t->producer, topics) ? TAKE(t) : NULL;
}

void transaction_close(struct transaction *t) {
	if (!t)
		return;
	transaction_topics_close(&t->topics);
	client_free(t->producer);
	free(t->id);
	free(t);
}

rd_kafka_t *transaction_client(struct transaction *t) {
	return t->producer;
}

rd_kafka_topic_t *transaction_state_topic(struct transaction *t) {
	return t->topics.of[TOPIC_STATE];
}

rd_kafka_topic_t *transaction_results_topic(struct transaction *t) {
	return t->topics.of[TOPIC_RESULTS];
}

rd_kafka_topic_t *transaction_dead_letters_topic(struct transaction *t) {
	return t->topics.of[TOPIC_DEAD_LETTERS];
}

rd_kafka_topic_t *transaction_input_topic(struct transaction *t, enum topic input) {
	return t->topics.of[input];
}

/* Moving. */

static void move_to(struct transaction *t, enum state to) {
	invariant_with(states[t->state].allowed & TO(to),
		       "a transaction goes from state to state as it is drawn", "from=%s to=%s",
		       states[t->state].name, states[to].name);
	t->state = to;
}

static void expect(const struct transaction *t, enum state state, const char *call) {
	invariant_with(t->state == state, "a transaction is in the state that a call needs",
		       "call=%s needs=%s is=%s", call, states[state].name, states[t->state].name);
}

static int fail(struct transaction *t, enum transaction_verdict verdict) {
	move_to(t, verdict == TRANSACTION_ABORT ? STATE_FAILED : STATE_LOST);
	return TRANSACTION_E_FAILED;
}

/* NEW -> IDLE. */

/*
 * The older producer of this id ended its transaction while the brokers were about to end it for
 * this one: they tell this one that it is the older. It is the newest one all the same, and the
 * next try of a new producer finds nothing open.
 */
static bool is_fenced(rd_kafka_resp_err_t err) {
	return err == RD_KAFKA_RESP_ERR__FENCED || err == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
	       err == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* Destroys the error. */
static int fail_init(struct transaction *t, rd_kafka_error_t *error) {
	rd_kafka_resp_err_t err = rd_kafka_error_code(error);
	bool is_retriable = rd_kafka_error_is_retriable(error);
	bool is_refused = err == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;

	if (err == RD_KAFKA_RESP_ERR__TIMED_OUT)
		transaction_explain_timeout(t->producer, t->topics.of[TOPIC_STATE], t->id);
	else if (!refusal_log(err, "Write", "transactional id", t->id))
		log_warn("transactions are not ready", "error=%s retriable=%d",
			 log_quote(rd_kafka_error_string(error)), is_retriable);
	rd_kafka_error_destroy(error);
	if (is_fenced(err))
		move_to(t, STATE_LOST);
	return is_refused ? -EACCES : is_retriable || is_fenced(err) ? -EAGAIN : -EPERM;
}

int transaction_init(struct transaction *t) {
	rd_kafka_error_t *error;

	if (t->state != STATE_NEW)
		return 0;
	error = rd_kafka_init_transactions(t->producer, INIT_TIMEOUT_MS);
	if (error)
		return fail_init(t, error);
	move_to(t, STATE_IDLE);
	return 0;
}

bool transaction_needs_replacement(const struct transaction *t) {
	return t->state == STATE_LOST || t->is_worn || t->aborts_in_a_row >= ABORTS_IN_A_ROW_MAX ||
	       throttle_is_outlived(&t->throttle, clock_monotonic_ms());
}

/* IDLE -> OPEN. */

int transaction_begin(struct transaction *t) {
	struct transaction_call beginning = { .name = "begin", .id = t->id };
	rd_kafka_error_t *error;

	expect(t, STATE_IDLE, "begin");
	t->is_begun = true;
	t->end = (struct transaction_end){ 0 };
	t->bytes = t->taken = 0;
	t->may_lack_records = false;
	client_forget_refused_topic();
	error = rd_kafka_begin_transaction(t->producer);
	if (!error) {
		move_to(t, STATE_OPEN);
		return 0;
	}
	/* A local call: a further try would tell the same. */
	(void)transaction_judge_error(&beginning, error, INT64_MAX, &t->end.is_fenced);
	move_to(t, STATE_LOST);
	return TRANSACTION_E_FAILED;
}

size_t transaction_bytes(const struct transaction *t) {
	return t->bytes;
}

struct transaction_flow transaction_flow(struct transaction *t) {
	rd_kafka_poll(t->producer, 0);
	return (struct transaction_flow){ t->taken, throttle_take(&t->throttle),
					  throttle_left_ms(&t->throttle, clock_monotonic_ms()) };
}

/* One try. Takes the headers where it returns no error. */
static rd_kafka_resp_err_t produce(struct transaction *t, const struct transaction_record *record) {
	void *key = (void *)(uintptr_t)record->key, *value = (void *)(uintptr_t)record->value;
	rd_kafka_vu_t args[] = {
		{ .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = record->topic },
		{ .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition },
		{ .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { key, record->key_len } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { value, record->value_len } },
		{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
		{ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = record->offset_out },
		{ .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms },
		{ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = record->headers.list },
	};
	size_t count = ARRAY_LEN(args) - (record->headers.list ? 0 : 1);
	rd_kafka_error_t *error = rd_kafka_produceva(t->producer, args, count);
	rd_kafka_resp_err_t err = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;

	rd_kafka_error_destroy(error);
	return err;
}

int transaction_produce(struct transaction *t, const struct transaction_record *record) {
	int64_t started_ms = clock_monotonic_ms();
	rd_kafka_resp_err_t err;

	expect(t, STATE_OPEN, "produce");
	t->bytes += record->key_len + record->value_len + record->headers.bytes;
	while ((err = produce(t, record)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
	       clock_monotonic_ms() - started_ms < TRANSACTION_RETRIED_FOR_MS)
		rd_kafka_poll(t->producer, 10);
	if (!err)
		return 0;
	if (record->headers.list)
		rd_kafka_headers_destroy(record->headers.list);
	if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		note_too_large(t, record->topic);
	refusal_log_cause("Write", "topic", rd_kafka_topic_name(record->topic),
			  rd_kafka_err2str(err));
	return fail(t, TRANSACTION_ABORT);
}

/* OPEN -> FLUSHED -> IDLE. */

int transaction_flush(struct transaction *t) {
	rd_kafka_resp_err_t err;

	expect(t, STATE_OPEN, "flush");
	t->ending_since_ms = clock_monotonic_ms();
	do
		err = rd_kafka_flush(t->producer, FLUSH_STEP_MS);
	while (err == RD_KAFKA_RESP_ERR__TIMED_OUT && !client_has_refused_topic(NULL) &&
	       clock_monotonic_ms() - t->ending_since_ms < TRANSACTION_RETRIED_FOR_MS);
	fault_step("after-flush");
	if (!err && !t->may_lack_records) {
		move_to(t, STATE_FLUSHED);
		return 0;
	}
	if (!err)
		log_warn("a broker takes a record for one that it has: the transaction is undone, "
			 "and another producer follows",
			 "transactional_id=%s", log_quote(t->id));
	else if (!client_has_refused_topic(NULL))
		refusal_log_cause("flush", "transactional id", t->id, rd_kafka_err2str(err));
	return fail(t, TRANSACTION_ABORT);
}

/* A call of librdkafka that ends a transaction, with its arguments. */
struct ending {
	struct transaction_call call;
	rd_kafka_error_t *(*run)(rd_kafka_t *producer, const struct ending *ending, int timeout_ms);
	const rd_kafka_consumer_group_metadata_t *group;
};

static rd_kafka_error_t *send_offsets(rd_kafka_t *producer, const struct ending *ending,
				      int timeout_ms) {
	return rd_kafka_send_offsets_to_transaction(producer, ending->call.offsets, ending->group,
						    timeout_ms);
}

static rd_kafka_error_t *commit(rd_kafka_t *producer, const struct ending *ending _unused_,
				int timeout_ms) {
	return rd_kafka_commit_transaction(producer, timeout_ms);
}

static rd_kafka_error_t *abort_it(rd_kafka_t *producer, const struct ending *ending _unused_,
				  int timeout_ms) {
	return rd_kafka_abort_transaction(producer, timeout_ms);
}

/* All the time that is left, for one call: one that timed out is not made again. */
static int time_left_ms(int64_t started_ms) {
	int64_t spent_ms = clock_monotonic_ms() - started_ms;

	return (int)MAX(TRANSACTION_RETRIED_FOR_MS - spent_ms, (int64_t)1);
}

/* Repeats the call while that may help. Returns 0, or a verdict that is not RETRY. */
static int call(struct transaction *t, const struct ending *ending, int64_t started_ms) {
	rd_kafka_error_t *error;

	while ((error = ending->run(t->producer, ending, time_left_ms(started_ms)))) {
		int64_t spent_ms = clock_monotonic_ms() - started_ms;
		enum transaction_verdict verdict =
		    transaction_judge_error(&ending->call, error, spent_ms, &t->end.is_fenced);

		if (verdict != TRANSACTION_RETRY)
			return (int)verdict;
	}
	return 0;
}

int transaction_commit(struct transaction *t, const rd_kafka_topic_partition_list_t *offsets,
		       const rd_kafka_consumer_group_metadata_t *group) {
	struct ending sending = { { "send-offsets", t->id, offsets }, send_offsets, group };
	struct ending committing = { { "commit", t->id, NULL }, commit, NULL };
	int verdict;

	expect(t, STATE_FLUSHED, "commit");
	invariant(group, "group metadata fence every commit (R3)");
	verdict = call(t, &sending, t->ending_since_ms);
	fault_step("after-offsets");
	fault_step("before-kafka-commit");
	if (verdict == 0)
		verdict = call(t, &committing, t->ending_since_ms);
	fault_step("after-kafka-commit");
	if (verdict != 0)
		return fail(t, (enum transaction_verdict)verdict);
	t->is_worn |= clock_monotonic_ms() - t->ending_since_ms > COMMIT_SLOW_MS;
	move_to(t, STATE_IDLE);
	t->aborts_in_a_row = 0;
	return 0;
}

/* OPEN, FLUSHED or FAILED -> IDLE. */

/* Those that librdkafka's log has named since the begin. */
static void note_refused_writes(struct transaction *t) {
	for (int i = 0; i < TOPIC_COUNT; i++)
		t->end.may_not_write[i] |=
		    client_has_refused_topic(rd_kafka_topic_name(t->topics.of[i]));
}

struct transaction_end transaction_end(struct transaction *t) {
	struct ending aborting = { { "abort", t->id, NULL }, abort_it, NULL };

	invariant(t->is_begun,
		  "a transaction ends once: else an abort would pass for a commit (R9)");
	t->is_begun = false;
	if (t->state == STATE_IDLE) {
		t->end.outcome = TRANSACTION_COMMITTED;
		return t->end;
	}
	note_refused_writes(t);
	if (t->state != STATE_LOST) {
		t->aborts_in_a_row++;
		move_to(t, call(t, &aborting, clock_monotonic_ms()) == 0 ? STATE_IDLE : STATE_LOST);
	}
	t->end.outcome = t->state == STATE_IDLE ? TRANSACTION_ABORTED : TRANSACTION_UNKNOWN;
	return t->end;
}
