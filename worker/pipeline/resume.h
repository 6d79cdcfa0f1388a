/*
 * A command that has more to do than a turn bears. Its record is written again, behind the others
 * of its partition, in the transaction of what it did: so it goes on once, whoever owns the
 * partition then, and other commands come in between. The copy has one header more,
 * `posthorn.resumed.from`: the time, in milliseconds since 1970, from which it goes on. The
 * command's receipt says that it is under way; the header alone means nothing.
 *
 * It needs the right to write to the input, as handing on does (reroute.h). Without it, a command
 * that has more to do is refused.
 */
#pragma once

#include "rdkafka/transaction.h"

/* Where the command goes on; 0: it begins. */
int64_t resume_from_ms(const rd_kafka_message_t *message);
/* Returns 0 or what transaction_produce returned. */
int resume_write(struct transaction *transaction, rd_kafka_topic_t *topic,
		 const rd_kafka_message_t *message, int64_t from_ms) _must_check_;
