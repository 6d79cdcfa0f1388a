/* Puts keyed records on one topic: idempotent, acks=all, partitioned as Java does it. */
#pragma once

#include "base/config.h"
#include "terminal/status.h"

#include <stdint.h>

struct producer;

struct producer_options {
	const char *topic;
	int64_t timeout_ms; /* after which a record that no broker took is given up */
};

/* Checks that the topic is there. */
enum admin_status producer_open(const struct config *config, const struct producer_options *options,
				struct producer **out) _must_check_;
void producer_close(struct producer *producer);
DEFINE_CLEANUP(struct producer, producer_close)

struct produced_record {
	const char *key;
	const void *value;
	size_t len;
	const char *traceparent; /* a header; NULL: none */
};

/* Queues a copy; waits while the queue is full. */
enum admin_status producer_send(struct producer *producer, const struct produced_record *record) _must_check_;
/* Waits until every record is on the brokers or given up, which is said and returned. */
enum admin_status producer_flush(struct producer *producer) _must_check_;

/* Records that the brokers have, and that were given up. */
uint64_t producer_acknowledged(const struct producer *producer);
uint64_t producer_lost(const struct producer *producer);
