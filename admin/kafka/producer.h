/* Puts records on one topic: idempotent, acks=all, partitioned by key as Java does it. */
#pragma once

#include "base/config.h"
#include "kafka/header.h"
#include "terminal/status.h"

#include <stdbool.h>
#include <stdint.h>

struct producer;

/* Called by producer_send and producer_flush for each record that has a tag: `why` is NULL when the
 * brokers have it, else says why it was given up. */
typedef void (*producer_report_fn)(void *userdata, void *tag, const char *why);

struct producer_options {
	const char *topic;
	int64_t timeout_ms; /* after which a record that no broker took is given up */
	/* Each record is a batch of its own, and compressed: one that its topic does not take costs
	 * no other, and what it took compressed is not too large for it now. */
	bool each_alone;
	producer_report_fn on_report; /* NULL: none */
	void *on_report_userdata;
};

/* Checks that the topic is there. */
enum admin_status producer_open(const struct config *config, const struct producer_options *options,
				struct producer **out) _must_check_;
void producer_close(struct producer *producer);
DEFINE_CLEANUP(struct producer, producer_close)

struct produced_record {
	const void *key; /* NULL: none, then any partition */
	size_t key_len;
	const void *value; /* NULL: none */
	size_t len;
	const struct record_header *headers;
	size_t header_count;
	void *tag; /* for on_report; NULL: this one is only counted */
};

/* Queues a copy; waits while the queue is full. */
enum admin_status producer_send(struct producer *producer,
				const struct produced_record *record) _must_check_;
/* Waits until every record is on the brokers or given up, which is returned; and said, unless
 * on_report has done so. */
enum admin_status producer_flush(struct producer *producer) _must_check_;

/* Records that the brokers have, and that were given up. */
uint64_t producer_acknowledged(const struct producer *producer);
uint64_t producer_lost(const struct producer *producer);
