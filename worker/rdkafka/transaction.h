/*
 * Kafka transactions: everything that a turn writes, and the offsets of what it read, become
 * visible together or not at all.
 *
 *     transaction_begin ──► transaction_produce ... ──► transaction_flush ──► transaction_commit in
 * this order, because offsets │                                                            sent
 * before the flush meet the └──────────────────────────────────────► transaction_abort   last
 * transaction's markers
 *
 * Every transaction sends offsets (R2), with the group metadata of the assignment that its input
 * came from (R3): that is what fences a zombie.
 */
#pragma once

#include "rdkafka/client.h"
#include "rdkafka/topics.h"

enum {
	TRANSACTION_E_ABORTED = 1, /* nothing of it happened: roll back and rewind */
	TRANSACTION_E_UNKNOWN = 2, /* the producer is unusable, and whether the commit happened only
				      the brokers know: make a new one and restore */
};

struct transaction;

struct transaction_record {
	rd_kafka_topic_t *topic;
	int32_t partition; /* RD_KAFKA_PARTITION_UA: by key */
	const void *key;   /* copied */
	size_t key_len;
	const void *value; /* copied; NULL is a tombstone */
	size_t value_len;
	rd_kafka_headers_t *headers; /* taken, also on failure; NULL: none */
	int64_t *offset_out;         /* NULL, or where the record's offset is written before
					transaction_flush returns */
};

/* Makes the producer; it is ready when transaction_init has returned 0. NULL (logged) when its
 * configuration is refused. */
struct transaction *transaction_new(const struct config *config, const struct topics *topics);
void transaction_close(struct transaction *transaction);
DEFINE_CLEANUP(struct transaction, transaction_close)

/* Its client, to ask the brokers something: a consumer's questions wait behind its fetches, half a
 * second each. Lives as long as the transaction. */
rd_kafka_t *transaction_client(struct transaction *transaction);

/*
 * Initialises transactions, which fences every older producer of this worker id and settles what it
 * left open. One bounded try. Returns 0, also when it is done already; -EAGAIN (logged) while the
 * brokers are not ready; or -EPERM (logged) when they refuse for good.
 */
int transaction_init(struct transaction *transaction) _must_check_;

rd_kafka_topic_t *transaction_state_topic(struct transaction *transaction);
rd_kafka_topic_t *transaction_results_topic(struct transaction *transaction);
rd_kafka_topic_t *transaction_dead_letters_topic(struct transaction *transaction);

/* Whether the producer should be replaced before the next transaction: three aborts in a row, or a
 * commit that took very long (R9). */
bool transaction_is_worn(const struct transaction *transaction);

/*
 * Of the last transaction that was begun: whether a dead letter, or another record, was too large
 * for its topic or for librdkafka; whether the brokers no longer take the group's offsets from us.
 */
bool transaction_had_large_letter(const struct transaction *transaction);
bool transaction_had_large_record(const struct transaction *transaction);
bool transaction_was_fenced(const struct transaction *transaction);

/* All return 0, TRANSACTION_E_ABORTED or TRANSACTION_E_UNKNOWN; failures are logged. After a
 * failure of produce call transaction_abort. */
int transaction_begin(struct transaction *transaction) _must_check_;
int transaction_produce(struct transaction *transaction,
			const struct transaction_record *record) _must_check_;
/* Bytes of keys and values produced since begin. */
size_t transaction_bytes(const struct transaction *transaction);
/* All records are at the brokers then, and where they lie is known. */
int transaction_flush(struct transaction *transaction) _must_check_;
/* Sends the offsets and commits what was flushed. */
int transaction_commit(struct transaction *transaction,
		       const rd_kafka_topic_partition_list_t *offsets,
		       const rd_kafka_consumer_group_metadata_t *group) _must_check_;

/* Returns TRANSACTION_E_ABORTED when it is certain that nothing happened, else
 * TRANSACTION_E_UNKNOWN. */
int transaction_abort(struct transaction *transaction) _must_check_;
