/* Produces records to one topic: idempotent, acks=all, with the partitioner of Kafka's Java client.
 */
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
	/* Each record is a batch of its own, and compressed. So a refused record does not fail
	 * others, and a record that its topic once took compressed is not too large now. */
	bool each_alone;
	producer_report_fn on_report; /* NULL: none */
	void *on_report_userdata;
};

/* Opens a producer, after checking that the topic exists. */
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
};

/* Queues a copy; waits while the queue is full. */
enum admin_status producer_send(struct producer *producer,
				const struct produced_record *record) _must_check_;
/* Waits until each record is acknowledged or given up. Returns a status other than ADMIN_OK where
 * one was given up, and prints the reason unless there is an on_report. */
enum admin_status producer_flush(struct producer *producer) _must_check_;

/* Whether the brokers refuse what it produces, for want of a right; says so. Such a producer is of
 * no use any more. */
bool producer_is_refused(struct producer *producer);

/* The numbers of acknowledged records, and of those given up. */
uint64_t producer_acknowledged(const struct producer *producer);
uint64_t producer_lost(const struct producer *producer);
