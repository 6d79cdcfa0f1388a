/* Transactions: their states, and what follows from each class of error, by librdkafka's mock
 * brokers. */
#include "base/log.h"
#include "base/memory.h"
#include "rdkafka/transaction.h"
#include "rdkafka/transaction_error.h"
#include "unit.h"

#include <errno.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGE = 32 * 1024 * 1024 }; /* no topic takes it, nor librdkafka */

/* Source: Kafka protocol guide, api keys. */
enum { PRODUCE = 0, INIT_PRODUCER_ID = 22, ADD_OFFSETS = 25, END_TXN = 26, TXN_OFFSET_COMMIT = 28 };

struct fixture {
	struct kafka_property kafka[1];
	struct config config;
	struct topics topics;
	struct transaction *transaction;
	rd_kafka_consumer_group_metadata_t *group;
	rd_kafka_topic_partition_list_t *offsets;
	int64_t offset; /* of the record that was written last */
};

static rd_kafka_mock_cluster_t *brokers(const struct fixture *f) {
	return rd_kafka_handle_mock_cluster(transaction_client(f->transaction));
}

static void open_producer(struct fixture *f) {
	const char *names[] = { f->topics.admin, f->topics.state, f->topics.results,
				f->topics.dead_letters };

	f->transaction = transaction_new(&f->config, &f->topics);
	assert_non_null(f->transaction);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		rd_kafka_mock_topic_create(brokers(f), names[i], 1, 1);
	assert_int_equal(transaction_init(f->transaction), 0);
}

static int setup(void **state) {
	static char count[] = "test.mock.num.brokers", one[] = "1", name[] = "worker-1";
	struct fixture *f = x_calloc(1, sizeof(*f));

	f->kafka[0] = (struct kafka_property){ count, one };
	f->config = (struct config){
		.kafka = f->kafka, .kafka_count = 1, .group_id = name, .worker_id = name
	};
	topics_init(&f->topics, "");
	f->group = rd_kafka_consumer_group_metadata_new(name);
	f->offsets = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(f->offsets, f->topics.admin, 0)->offset = 5;
	open_producer(f);
	*state = f;
	return 0;
}

static int teardown(void **state) {
	struct fixture *f = *state;

	transaction_close(f->transaction);
	rd_kafka_topic_partition_list_destroy(f->offsets);
	rd_kafka_consumer_group_metadata_destroy(f->group);
	topics_destroy(&f->topics);
	free(f);
	return 0;
}

static int produce(struct fixture *f, rd_kafka_topic_t *topic, size_t len) {
	_cleanup_(x_freep) char *value = x_calloc(1, len);
	struct transaction_record record = { .topic = topic,
					     .partition = 0,
					     .key = "key",
					     .key_len = 3,
					     .value = value,
					     .value_len = len,
					     .offset_out = &f->offset };

	f->offset = -1;
	return transaction_produce(f->transaction, &record);
}

/* As a turn does it: whatever fails, the transaction is ended. */
static struct transaction_end run(struct fixture *f) {
	struct transaction *t = f->transaction;
	int r = transaction_begin(t);

	if (r == 0)
		r = produce(f, transaction_state_topic(t), 100);
	if (r == 0)
		r = produce(f, transaction_results_topic(t), 100);
	if (r == 0)
		r = transaction_flush(t);
	if (r == 0)
		r = transaction_commit(t, f->offsets, f->group);
	return transaction_end(t);
}

/* The older producer's transaction was just being ended: the newest one is told that it is fenced.
 */
static void a_producer_that_is_fenced_while_it_begins(void **state) {
	static const rd_kafka_resp_err_t errors[] = { RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
						      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct transaction *t = transaction_new(&f->config, &f->topics);

		assert_non_null(t);
		rd_kafka_mock_push_request_errors(
		    rd_kafka_handle_mock_cluster(transaction_client(t)), INIT_PRODUCER_ID, 1,
		    errors[i]);
		assert_int_equal(transaction_init(t), -EAGAIN);
		assert_true(transaction_needs_replacement(t));
		transaction_close(t);
	}
}

static void classes_of_errors(void **state _unused_) {
	static const struct {
		const char *name;
		struct transaction_failure failure;
		enum transaction_verdict verdict;
	} rows[] = {
		{ "retriable, at once", { .is_retriable = true }, TRANSACTION_RETRY },
		{ "retriable, just in time",
		  { .is_retriable = true, .spent_ms = TRANSACTION_RETRIED_FOR_MS - 1 },
		  TRANSACTION_RETRY },
		{ "retriable, too late",
		  { .is_retriable = true, .spent_ms = TRANSACTION_RETRIED_FOR_MS },
		  TRANSACTION_LOSE },
		{ "retriable and abortable, in time: retried first",
		  { .is_retriable = true, .requires_abort = true },
		  TRANSACTION_RETRY },
		{ "retriable and abortable, too late",
		  { .is_retriable = true, .requires_abort = true, .spent_ms = INT64_MAX },
		  TRANSACTION_ABORT },
		{ "abortable", { .requires_abort = true }, TRANSACTION_ABORT },
		{ "neither: fatal, or of a kind that is not known", { 0 }, TRANSACTION_LOSE },
		{ "a timeout, however early: its results come later",
		  { .is_retriable = true, .is_timeout = true },
		  TRANSACTION_LOSE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(transaction_judge(&rows[i].failure), rows[i].verdict);
	}
}

static void it_ends_as_the_brokers_answer(void **state) {
	static const struct {
		const char *name;
		int16_t api_key;
		rd_kafka_resp_err_t error; /* 0: none */
		enum transaction_outcome outcome;
		bool is_fenced, has_large_record, needs_replacement;
	} rows[] = {
		{ "all is well", END_TXN, 0, TRANSACTION_COMMITTED, false, false, false },
		{ "the coordinator is loading, once", END_TXN,
		  RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, TRANSACTION_COMMITTED, false,
		  false, false },
		{ "the group does not know the member", TXN_OFFSET_COMMIT,
		  RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, TRANSACTION_ABORTED, true, false, false },
		{ "the group is in another generation", TXN_OFFSET_COMMIT,
		  RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, TRANSACTION_ABORTED, true, false, false },
		{ "another member has the worker's id", TXN_OFFSET_COMMIT,
		  RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, TRANSACTION_ABORTED, true, false, false },
		{ "the group may not be read", TXN_OFFSET_COMMIT,
		  RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, TRANSACTION_ABORTED, false, false,
		  false },
		{ "a record is too large for its topic", PRODUCE,
		  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, TRANSACTION_ABORTED, false, true, false },
		{ "a record is taken for one that was written before", PRODUCE,
		  RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, TRANSACTION_ABORTED, false, false,
		  true },
		{ "a newer producer has the transactional id", END_TXN,
		  RD_KAFKA_RESP_ERR_PRODUCER_FENCED, TRANSACTION_UNKNOWN, false, false, true },
		{ "the coordinator says that there is no such transaction", END_TXN,
		  RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, TRANSACTION_UNKNOWN, false, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = *state;
		struct transaction_end end;

		print_message("%s\n", rows[i].name);
		if (rows[i].error)
			rd_kafka_mock_push_request_errors(brokers(f), rows[i].api_key, 1,
							  rows[i].error);
		end = run(f);
		assert_int_equal(end.outcome, rows[i].outcome);
		assert_int_equal(end.is_fenced, rows[i].is_fenced);
		assert_int_equal(end.has_large_record, rows[i].has_large_record);
		assert_false(end.has_large_letter);
		assert_int_equal(transaction_needs_replacement(f->transaction),
				 rows[i].needs_replacement);
		assert_true(f->offset >= 0 || end.has_large_record);
		transaction_close(f->transaction);
		open_producer(f);
	}
}

/* What was found of one transaction says nothing of the next. */
static void an_end_is_forgotten_with_the_next_begin(void **state) {
	struct fixture *f = *state;
	struct transaction_end end;

	assert_int_equal(transaction_begin(f->transaction), 0);
	assert_int_equal(produce(f, transaction_results_topic(f->transaction), LARGE),
			 TRANSACTION_E_FAILED);
	assert_true(transaction_end(f->transaction).has_large_record);
	end = run(f);
	assert_int_equal(end.outcome, TRANSACTION_COMMITTED);
	assert_false(end.has_large_record || end.has_large_letter || end.is_fenced);
}

/* librdkafka itself refuses what its message.max.bytes does not take. */
static void a_record_that_is_never_sent(void **state) {
	static const struct {
		const char *name;
		bool is_letter;
	} rows[] = { { "a record", false }, { "a dead letter", true } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = *state;
		struct transaction *t = f->transaction;
		struct transaction_end end;

		print_message("%s\n", rows[i].name);
		assert_int_equal(transaction_begin(t), 0);
		assert_int_equal(produce(f,
					 rows[i].is_letter ? transaction_dead_letters_topic(t)
							   : transaction_results_topic(t),
					 LARGE),
				 TRANSACTION_E_FAILED);
		end = transaction_end(t);
		assert_int_equal(end.outcome, TRANSACTION_ABORTED);
		assert_int_equal(end.has_large_letter, rows[i].is_letter);
		assert_int_equal(end.has_large_record, !rows[i].is_letter);
	}
}

static void it_may_be_ended_wherever_it_is(void **state) {
	static const struct {
		const char *name;
		int calls; /* begin, produce, flush: so many of them */
	} rows[] = { { "begun", 1 }, { "with a record", 2 }, { "flushed", 3 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = *state;
		struct transaction *t = f->transaction;

		print_message("%s\n", rows[i].name);
		assert_int_equal(transaction_begin(t), 0);
		if (rows[i].calls > 1)
			assert_int_equal(produce(f, transaction_state_topic(t), 10), 0);
		assert_int_equal(transaction_bytes(t), rows[i].calls > 1 ? 13 : 0);
		if (rows[i].calls > 2)
			assert_int_equal(transaction_flush(t), 0);
		assert_int_equal(transaction_end(t).outcome, TRANSACTION_ABORTED);
		assert_int_equal(run(f).outcome, TRANSACTION_COMMITTED);
	}
}

static void headers_count_as_a_part_of_a_record(void **state) {
	struct fixture *f = *state;
	struct transaction_record record = { .topic = transaction_results_topic(f->transaction),
					     .value = "value",
					     .value_len = 5 };
	struct headers copy;

	headers_add(&record.headers, "requestId", "r-1", -1);
	headers_add(&record.headers, "raw", "\0\1", 2);
	headers_add(&record.headers, "cut", "off", 1);
	assert_int_equal(rd_kafka_header_cnt(record.headers.list), 3);
	assert_int_equal(record.headers.bytes, 9 + 3 + 3 + 2 + 3 + 1 + 3 * 10);
	copy = headers_copy(&record.headers);
	assert_int_equal(copy.bytes, record.headers.bytes);
	rd_kafka_headers_destroy(copy.list);
	assert_null(headers_copy(&(struct headers){ 0 }).list);
	assert_int_equal(transaction_begin(f->transaction), 0);
	assert_int_equal(transaction_produce(f->transaction, &record), 0);
	assert_int_equal(transaction_bytes(f->transaction), 5 + 51);
	(void)transaction_end(f->transaction);
}

/* R9: three in a row may have desynchronised the producer. */
static void aborts_in_a_row_wear_the_producer_out(void **state) {
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(transaction_begin(f->transaction), 0);
		assert_int_equal(transaction_end(f->transaction).outcome, TRANSACTION_ABORTED);
		assert_false(transaction_needs_replacement(f->transaction));
	}
	assert_int_equal(run(f).outcome, TRANSACTION_COMMITTED);
	for (int i = 0; i < 3; i++) {
		assert_false(transaction_needs_replacement(f->transaction));
		assert_int_equal(transaction_begin(f->transaction), 0);
		assert_int_equal(transaction_end(f->transaction).outcome, TRANSACTION_ABORTED);
	}
	assert_true(transaction_needs_replacement(f->transaction));
}

/* Whether a child process that makes the calls dies of the last one. */
static bool dies(struct fixture *f, void (*calls)(struct fixture *f)) {
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		signal(SIGABRT, SIG_DFL);
		calls(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void produce_unbegun(struct fixture *f) {
	(void)!produce(f, transaction_state_topic(f->transaction), 1);
}

static void flush_unbegun(struct fixture *f) {
	(void)!transaction_flush(f->transaction);
}

static void commit_unflushed(struct fixture *f) {
	(void)!transaction_commit(f->transaction, f->offsets, f->group);
}

static void end_unbegun(struct fixture *f) {
	(void)transaction_end(f->transaction);
}

static void begin(struct fixture *f) {
	(void)!transaction_begin(f->transaction);
}

static void calls_out_of_order_abort(void **state) {
	static const struct {
		const char *name;
		void (*calls)(struct fixture *f);
	} rows[] = {
		{ "a record before the begin", produce_unbegun },
		{ "a flush before the begin", flush_unbegun },
		{ "a commit before the flush", commit_unflushed },
		{ "an end before the begin", end_unbegun },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_true(dies(*state, rows[i].calls));
	}
	print_message("a begin within a transaction\n");
	begin(*state);
	assert_true(dies(*state, begin));
}

#define TRANSACTION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TRANSACTION_TEST(a_producer_that_is_fenced_while_it_begins),
		cmocka_unit_test(classes_of_errors),
		TRANSACTION_TEST(it_ends_as_the_brokers_answer),
		TRANSACTION_TEST(an_end_is_forgotten_with_the_next_begin),
		TRANSACTION_TEST(a_record_that_is_never_sent),
		TRANSACTION_TEST(it_may_be_ended_wherever_it_is),
		TRANSACTION_TEST(headers_count_as_a_part_of_a_record),
		TRANSACTION_TEST(aborts_in_a_row_wear_the_producer_out),
		TRANSACTION_TEST(calls_out_of_order_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
