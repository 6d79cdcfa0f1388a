/*
 * Whether dead letters could be written. Nothing else tells before the first one: Kafka answers
 * whether a principal may write a topic only when it does.
 */
#pragma once

#include "rdkafka/transaction.h"

/*
 * Writes a record to the topic of dead letters and aborts, so that nobody reads it. Some
 * milliseconds, seconds at most. Returns false where the brokers refuse it (logged); any other
 * failure passes for true, since it is of the transaction. IDLE.
 */
bool transaction_may_write_letters(struct transaction *transaction) _must_check_;
