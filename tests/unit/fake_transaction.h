/*
 * rdkafka/transaction.h without librdkafka, for programs that link no other: it counts, and fails
 * where it is told to.
 */
#pragma once

#include "rdkafka/transaction.h"

enum fake_call { FAKE_NONE, FAKE_BEGIN, FAKE_PRODUCE, FAKE_FLUSH, FAKE_COMMIT };

struct fake_transaction {
	/* Of the next transaction; forgotten at its end. */
	enum fake_call fails;       /* the call that fails */
	size_t fails_after;         /* FAKE_PRODUCE: after so many records */
	struct transaction_end end; /* how it ends then */
	bool hides_offsets;         /* the flush does not tell them */

	struct transaction_flow flow; /* without what was taken */
	int64_t next_offset;          /* of the changelog: what the flush tells */
	bool is_open;
	size_t begun, committed, ended; /* transactions */
	size_t bytes;
	/* Records of the transaction that was begun last. */
	size_t state_records, results, letters, inputs;
	int32_t input_partition; /* of the last record of an input */
	enum topic input_topic;  /* and which one */
	size_t offsets; /* that were committed with it: one for each input of a partition */
};

extern struct fake_transaction fake_transaction;

/* What transactions_new would have made. */
struct transaction *fake_transaction_new(void);
