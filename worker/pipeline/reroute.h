/*
 * Records in another partition than their key's, since their producer has another partitioner.
 *
 * Each is handed on into the right partition of the same topic, in the transaction of its offset:
 * it is there once, and what came from one partition keeps its order. The copy is the record as it
 * came, with one header more, `posthorn.rerouted.from`: "partition:offset". A record with that
 * header is not handed on again: while partitions are being added, two workers could hand it to
 * each other for ever.
 *
 * It needs the right to write to the inputs, as does a command of several turns (resume.h). A
 * worker without it finds that out by an aborted transaction, and then does not try again for some
 * minutes.
 */
#pragma once

#include "pipeline/partition.h"
#include "rdkafka/transaction.h"

struct reroute {
	bool is_on; /* input.reroute */
	/* Monotonic: until then it is taken for certain that the brokers refuse it. */
	int64_t refused_until_ms[POSITION_INPUTS];
};

struct reroute reroute_new(bool is_on);

/* Whether this input may be written to, as far as is known. */
bool reroute_may_write(const struct reroute *reroute, enum input input, int64_t now_ms);
/* Whether records of this input are handed on now. */
bool reroute_may(const struct reroute *reroute, enum input input, int64_t now_ms);
/* Notes which inputs the transaction was not allowed to write. */
void reroute_heed(struct reroute *reroute, const struct transaction_end *ended, int64_t now_ms);

/* Whether the record was handed on before. */
bool reroute_was_done(const rd_kafka_message_t *message);
/* Bytes that handing it on writes, about. */
size_t reroute_bytes(const rd_kafka_message_t *message);
/* Hands it on to `partition`. Returns 0 or what transaction_produce returned. */
int reroute_write(struct transaction *transaction, enum input input,
		  const rd_kafka_message_t *message, int32_t partition) _must_check_;
