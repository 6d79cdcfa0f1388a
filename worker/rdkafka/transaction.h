/*
 * Kafka transactions of one producer: all that a turn writes, and the offsets of its inputs, become
 * visible together or not at all.
 *
 *            init           begin          flush             commit
 *      NEW ───────► IDLE ─────────► OPEN ─────────► FLUSHED ─────────► IDLE
 *                   ▲  │             │ produce or     │ commit fails:
 *                   │  │ begin       │ flush fails    │ nothing happened
 *                   │  │ fails       ▼                │
 *                   │  │          FAILED ◄────────────┤
 *      end: aborted │  │             │                │ commit fails:
 *                   └──┼── OPEN, FLUSHED, FAILED      │ nobody knows
 *                      ▼             │ end: abort     ▼
 *                     LOST ◄─────────┴─ fails ──── LOST
 *
 * A NEW one that the brokers fence while it begins is LOST too.
 *
 * transaction_end alone aborts; every transaction that was begun ends with it. A producer that is
 * LOST is closed: the one after it settles with its init whatever the transaction had become.
 *
 * Offsets are sent after the flush, because offsets sent before it meet the last transaction's
 * markers. Every transaction sends them (R2), with the group metadata of the assignment that its
 * input came from (R3): that is what fences a zombie.
 */
#pragma once

#include "rdkafka/client.h"
#include "rdkafka/headers.h"
#include "rdkafka/topic_names.h"
#include "rdkafka/topics.h"

struct transaction;

struct transaction_record {
	rd_kafka_topic_t *topic;
	int32_t partition; /* RD_KAFKA_PARTITION_UA: by key */
	const void *key;   /* copied */
	size_t key_len;
	const void *value; /* copied; NULL is a tombstone */
	size_t value_len;
	struct headers headers; /* taken, also on failure */
	int64_t timestamp_ms;   /* 0: now */
	int64_t *offset_out;    /* NULL, or where the record's offset is written in the flush */
};

/*
 * Makes the producer; it is ready when transaction_init has returned 0. NULL (logged) when its
 * configuration is refused. Borrows `config` for the call, `topics` too.
 */
struct transaction *transaction_new(const struct config *config, const struct topics *topics);
void transaction_close(struct transaction *transaction);
DEFINE_CLEANUP(struct transaction, transaction_close)

/*
 * The producer as a client, to ask the brokers something: a consumer's questions wait behind its
 * fetches, half a second each. Lives as long as the transaction.
 */
rd_kafka_t *transaction_client(struct transaction *transaction);

/*
 * NEW -> IDLE: fences every older producer of this worker id and settles what it left open. One
 * bounded try. Returns 0, also when it is done already; -EAGAIN (logged) while the brokers are not
 * ready, also for this producer (transaction_needs_replacement); -EACCES (logged) where a grant
 * mends it, for a new producer; or -EPERM (logged) when they refuse for good.
 */
int transaction_init(struct transaction *transaction) _must_check_;

rd_kafka_topic_t *transaction_state_topic(struct transaction *transaction);
rd_kafka_topic_t *transaction_results_topic(struct transaction *transaction);
rd_kafka_topic_t *transaction_dead_letters_topic(struct transaction *transaction);
/* TOPIC_ADMIN or TOPIC_ISSUANCE. */
rd_kafka_topic_t *transaction_input_topic(struct transaction *transaction, enum topic input);

/*
 * Whether the producer is to be replaced before the next transaction: LOST, three aborts in a row,
 * a commit that took very long or a record that may be nowhere (R9), or a connection that the
 * brokers hold up for long.
 */
bool transaction_needs_replacement(const struct transaction *transaction);

/* A call below failed (logged): the transaction is FAILED or LOST, and its end is next. */
enum { TRANSACTION_E_FAILED = 1 };

/* IDLE -> OPEN. Returns 0 or TRANSACTION_E_FAILED. */
int transaction_begin(struct transaction *transaction) _must_check_;
/* OPEN. Returns 0 or TRANSACTION_E_FAILED. */
int transaction_produce(struct transaction *transaction,
			const struct transaction_record *record) _must_check_;
/* Bytes of keys, values and headers produced since begin. */
size_t transaction_bytes(const struct transaction *transaction);

/* What the brokers do with what is produced. */
struct transaction_flow {
	size_t taken;         /* bytes of keys and values, acknowledged since begin */
	int64_t throttled_ms; /* that they reported since the last call: a quota */
	int64_t held_up_ms;   /* how long from now on a transaction had better not begin */
};
/* Looks for news first. */
struct transaction_flow transaction_flow(struct transaction *transaction);
/*
 * OPEN -> FLUSHED: all records are at the brokers, and their offsets are known. Returns 0 or
 * TRANSACTION_E_FAILED.
 */
int transaction_flush(struct transaction *transaction) _must_check_;
/* FLUSHED -> IDLE: sends the offsets and commits. Returns 0 or TRANSACTION_E_FAILED. */
int transaction_commit(struct transaction *transaction,
		       const rd_kafka_topic_partition_list_t *offsets,
		       const rd_kafka_consumer_group_metadata_t *group) _must_check_;

enum transaction_outcome {
	TRANSACTION_COMMITTED,
	TRANSACTION_ABORTED, /* nothing of it happened */
	TRANSACTION_UNKNOWN, /* whether it was committed only the brokers know */
};

struct transaction_end {
	enum transaction_outcome outcome;
	bool has_large_letter; /* a dead letter was too large for its topic or for librdkafka */
	bool has_large_record; /* another record was */
	bool is_fenced;        /* the brokers no longer take the group's offsets from this member */
	bool may_not_write[TOPIC_COUNT]; /* the brokers do not allow it to this principal */
};

/*
 * Ends the transaction that was begun last: aborts it, unless it was committed. Once after each
 * begin, also after one that failed.
 */
struct transaction_end transaction_end(struct transaction *transaction);
