/*
 * Ending what a dead worker left open. Until its transaction ends, read_committed readers stop
 * before it: the restore of its partitions, and everybody who reads webhook-results. The
 * coordinator would abort it by itself, but only after transaction.timeout.ms (15 s) and a look at
 * its transactions every transaction.abort.timed.out.transaction.cleanup.interval.ms (10 s by
 * default). Whoever initialises the dead worker's transactional id ends it at once.
 *
 * That is safe whoever is dead: what was committed stays so, and what was not, never will be. A
 * worker that is fenced while it lives makes itself a new producer and restores (R9); so that this
 * happens to none that works, one that the group has as a member is left alone.
 */
#pragma once

#include "rdkafka/client.h"
#include "rdkafka/topics.h"

enum { TAKEOVER_E_MEMBER = 1 };

/*
 * Aborts the open transaction of `worker_id`, unless the group has it as a member
 * (TAKEOVER_E_MEMBER). `client` is any of ours; it asks the brokers. Returns 0, TAKEOVER_E_MEMBER,
 * or -EAGAIN (logged) when the brokers did not answer. Waits for at most some seconds.
 */
int takeover_end_transaction(const struct config *config, const struct topics *topics,
			     rd_kafka_t *client, const char *worker_id) _must_check_;
