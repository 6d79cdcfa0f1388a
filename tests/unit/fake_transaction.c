#include "fake_transaction.h"

#include "base/memory.h"

#include <stdlib.h>

enum { PENDING_MAX = 4096 };

struct fake_transaction fake_transaction;

struct transaction {
	int64_t *offsets_out[PENDING_MAX];
	size_t pending;
};

static struct transaction the_transaction;

/* Never looked into. */
static char state_topic, results_topic, dead_letters_topic, input_topics[TOPIC_COUNT];

struct transaction *fake_transaction_new(void) {
	return &the_transaction;
}

struct transaction *transaction_new(const struct config *config _unused_,
				    const struct topics *topics _unused_) {
	return &the_transaction;
}

void transaction_close(struct transaction *transaction _unused_) {
}

rd_kafka_t *transaction_client(struct transaction *transaction _unused_) {
	return NULL;
}

int transaction_init(struct transaction *transaction _unused_) {
	return 0;
}

bool transaction_needs_replacement(const struct transaction *transaction _unused_) {
	return false;
}

rd_kafka_topic_t *transaction_state_topic(struct transaction *transaction _unused_) {
	return (rd_kafka_topic_t *)&state_topic;
}

rd_kafka_topic_t *transaction_results_topic(struct transaction *transaction _unused_) {
	return (rd_kafka_topic_t *)&results_topic;
}

rd_kafka_topic_t *transaction_dead_letters_topic(struct transaction *transaction _unused_) {
	return (rd_kafka_topic_t *)&dead_letters_topic;
}

rd_kafka_topic_t *transaction_input_topic(struct transaction *transaction _unused_,
					  enum topic input) {
	return (rd_kafka_topic_t *)&input_topics[input];
}

static int fails(enum fake_call call) {
	return fake_transaction.fails == call ? TRANSACTION_E_FAILED : 0;
}

int transaction_begin(struct transaction *t) {
	struct fake_transaction *fake = &fake_transaction;

	if (fake->is_open)
		abort();
	fake->is_open = true;
	fake->begun++;
	fake->bytes = fake->state_records = fake->results = fake->letters = fake->offsets = 0;
	fake->inputs = 0;
	t->pending = 0;
	return fails(FAKE_BEGIN);
}

static void note_input(struct transaction *t, const struct transaction_record *record) {
	for (int topic = TOPIC_ADMIN; topic <= TOPIC_EVENTS; topic++) {
		if (record->topic != transaction_input_topic(t, (enum topic)topic))
			continue;
		fake_transaction.inputs++;
		fake_transaction.input_topic = (enum topic)topic;
		fake_transaction.input_partition = record->partition;
	}
}

int transaction_produce(struct transaction *t, const struct transaction_record *record) {
	struct fake_transaction *fake = &fake_transaction;
	size_t before = fake->state_records + fake->results + fake->letters + fake->inputs;

	if (record->headers.list)
		rd_kafka_headers_destroy(record->headers.list);
	if (fake->fails == FAKE_PRODUCE && before >= fake->fails_after)
		return TRANSACTION_E_FAILED;
	fake->bytes += record->key_len + record->value_len;
	fake->results += record->topic == transaction_results_topic(t);
	fake->letters += record->topic == transaction_dead_letters_topic(t);
	note_input(t, record);
	if (record->topic != transaction_state_topic(t))
		return 0;
	fake->state_records++;
	if (t->pending == PENDING_MAX)
		abort();
	t->offsets_out[t->pending++] = record->offset_out;
	return 0;
}

size_t transaction_bytes(const struct transaction *t _unused_) {
	return fake_transaction.bytes;
}

struct transaction_flow transaction_flow(struct transaction *t _unused_) {
	struct transaction_flow flow = fake_transaction.flow;

	flow.taken = fake_transaction.bytes;
	fake_transaction.flow.throttled_ms = 0;
	return flow;
}

int transaction_flush(struct transaction *t) {
	if (fails(FAKE_FLUSH))
		return TRANSACTION_E_FAILED;
	for (size_t i = 0; i < t->pending; i++) {
		if (t->offsets_out[i] && !fake_transaction.hides_offsets)
			*t->offsets_out[i] = fake_transaction.next_offset;
		fake_transaction.next_offset++;
	}
	return 0;
}

int transaction_commit(struct transaction *t _unused_,
		       const rd_kafka_topic_partition_list_t *offsets,
		       const rd_kafka_consumer_group_metadata_t *group _unused_) {
	if (fails(FAKE_COMMIT))
		return TRANSACTION_E_FAILED;
	fake_transaction.offsets = (size_t)offsets->cnt;
	fake_transaction.committed++;
	fake_transaction.next_offset++; /* the commit's marker */
	fake_transaction.is_open = false;
	return 0;
}

struct transaction_end transaction_end(struct transaction *t _unused_) {
	struct fake_transaction *fake = &fake_transaction;
	struct transaction_end end = fake->end;

	if (!fake->is_open)
		end.outcome = TRANSACTION_COMMITTED;
	else if (end.outcome == TRANSACTION_COMMITTED)
		end.outcome = TRANSACTION_ABORTED;
	fake->is_open = false;
	fake->ended++;
	fake->fails = FAKE_NONE;
	fake->hides_offsets = false;
	fake->end = (struct transaction_end){ 0 };
	return end;
}
