/* Produces records to one topic: idempotent, acks=all, with the partitioner of Kafka's Java client.
 * Where it has a transactional.id, all of them in transactions. */
#pragma once

#include "base/config.h"
#include "kafka/header.h"
#include "terminal/status.h"

#include <stdbool.h>
#include <stdint.h>

struct producer;

/* Called by producer_send and producer_flush for each record with a tag. `why` is NULL where the
 * brokers have it, else the reason why it was given up. */
typedef void (*producer_report_fn)(void *userdata, void *tag, const char *why);

struct producer_options {
	const char *topic;
	int64_t timeout_ms; /* after which an unacknowledged record is given up */
	int64_t open_ms;    /* that the opening waits for brokers; 0: as long */
	/* Each record is a batch of its own, and compressed. So a refused record does not fail
	 * others, and a record that its topic once took compressed is not too large now. */
	bool each_alone;
	/* NULL: none. The last producer that is opened with an id is the only one: older ones are
	 * fenced, and what they left open is aborted. */
	const char *transactional_id;
	producer_report_fn on_report; /* NULL: none */
	void *on_report_userdata;
};

/* Opens a producer, after checking that the topic exists. Borrows no option but `on_report`'s. */
enum admin_status producer_open(const struct config *config, const struct producer_options *options,
				struct producer **out) _must_check_;
void producer_close(struct producer *producer);
DEFINE_CLEANUP(struct producer, producer_close)

struct produced_record {
	const void *key; /* NULL: none, for any partition */
	size_t key_len;
	const void *value; /* NULL: none */
	size_t len;
	const struct record_header *headers;
	size_t header_count;
	void *tag; /* for on_report; NULL: the record is only counted */
	bool has_partition;
	int32_t partition; /* where it has one; else by key */
};

/* The number of the topic's partitions, and the one of a key. */
int32_t producer_partition_count(const struct producer *producer);
int32_t producer_partition_of(const struct producer *producer, const char *key);

/* The first offset of any topic's partition, and the one after its last. */
enum admin_status producer_ask_bounds(struct producer *producer, const char *topic,
				      int32_t partition, int64_t *low, int64_t *high) _must_check_;

/* Queues a copy; waits while the queue is full. */
enum admin_status producer_send(struct producer *producer,
				const struct produced_record *record) _must_check_;
/* Waits until each record is acknowledged or given up. Returns a status other than ADMIN_OK where
 * one was given up, and prints the reason unless there is an on_report. */
enum admin_status producer_flush(struct producer *producer) _must_check_;

/* Of a producer with a transactional.id: records are sent between the two, and are there once
 * producer_commit has returned ADMIN_OK. A close without it aborts. ADMIN_REFUSED, after saying so,
 * where a newer producer of this id was opened. */
enum admin_status producer_begin(struct producer *producer) _must_check_;
enum admin_status producer_commit(struct producer *producer) _must_check_;

/* Whether the brokers refuse what it produces, for want of a right; says so. Such a producer is of
 * no use any more. */
bool producer_is_refused(struct producer *producer);

/* The numbers of acknowledged records, and of those given up. */
uint64_t producer_acknowledged(const struct producer *producer);
uint64_t producer_lost(const struct producer *producer);
