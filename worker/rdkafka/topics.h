/*
 * The names of the topics, and the check that they fit together: webhook-admin,
 * credential-issuance, webhook-events and webhook-state have the same number of partitions, so that
 * one tenant is one partition, one owner, one order (docs/operating.md, "Topics").
 */
#pragma once

#include "base/config.h"

#include <librdkafka/rdkafka.h>

/*
 * Asks for a topic that is not in the brokers' list of all topics, and returns its error. The list
 * leaves out topics that do not exist, and topics that this principal may not describe; asked by
 * name, the brokers tell one from the other. Waits for at most `timeout_ms`.
 */
rd_kafka_resp_err_t topics_ask_why_missing(rd_kafka_t *client, const char *name, int timeout_ms);

/* Names with the prefix, all owned. */
struct topics {
	char *admin;        /* webhook-admin */
	char *issuance;     /* credential-issuance */
	char *events;       /* webhook-events */
	char *state;        /* webhook-state */
	char *results;      /* webhook-results */
	char *dead_letters; /* webhook-dead-letters */
};

void topics_init(struct topics *topics, const char *prefix);
void topics_destroy(struct topics *topics);

enum { TOPICS_E_REFUSED = 1 };

/*
 * Asks the brokers. Returns 0 and the number of partitions; TOPICS_E_REFUSED (logged) when a topic
 * is missing or differs; -EACCES (logged) where this principal may not see one; -EAGAIN (logged)
 * while one has no leader; or -ETIMEDOUT, which the caller logs, when no broker answered.
 */
int topics_check(const struct topics *topics, rd_kafka_t *client, int timeout_ms,
		 int32_t *partition_count) _must_check_;
