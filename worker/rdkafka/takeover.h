/*
 * Ends the transaction that a dead worker left open. Until it ends, every read_committed reader
 * stops before it: the restore of the worker's partitions, and the readers of webhook-results. The
 * coordinator aborts it only after transaction.timeout.ms (15 s), and looks for such transactions
 * every transaction.abort.timed.out.transaction.cleanup.interval.ms (10 s by default). A producer
 * that initialises the dead worker's transactional id ends it at once.
 *
 * That is safe, also when the worker lives. Committed transactions stay committed, and the open one
 * is aborted. A living worker is fenced: it makes a new producer and restores (R9). To spare a
 * worker that is at work, a member of the group is left alone.
 */
#pragma once

#include "rdkafka/client.h"
#include "rdkafka/topics.h"

enum { TAKEOVER_E_MEMBER = 1 };

/*
 * Aborts the open transaction of `worker_id`. Asks the brokers by `client`, any of this worker's.
 * Returns 0; TAKEOVER_E_MEMBER when the worker is a member of the group; or -EAGAIN (logged) when
 * the brokers did not answer. Waits for some seconds at most.
 */
int takeover_end_transaction(const struct config *config, const struct topics *topics,
			     rd_kafka_t *client, const char *worker_id) _must_check_;
