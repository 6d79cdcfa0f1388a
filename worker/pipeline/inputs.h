/*
 * The partitions of the input topics, each with a queue of its own in librdkafka's consumer:
 * what waits in one is never before what waits in another, so that a partition whose commands are
 * many or costly does not keep those of others waiting. They are served in turns.
 *
 * A partition whose next record cannot be judged yet waits, and no other: its record is held, and
 * its queue is left alone until inputs_release.
 *
 * The consumer's own queue is left with what it says besides records: rebalances and failures.
 *
 *     inputs_assign ──► inputs_next ... ──► inputs_close
 *
 * Closed with each rebalance, since a stopped partition's queue may go.
 */
#pragma once

#include "base/memory.h"

#include <librdkafka/rdkafka.h>

struct inputs;

struct inputs *inputs_new(void);
void inputs_free(struct inputs *inputs);
DEFINE_CLEANUP(struct inputs, inputs_free)

/*
 * Reads these partitions, each from its offset, and no others. Writes to `wake_fd` when a record
 * comes into a queue that is empty.
 */
rd_kafka_resp_err_t inputs_assign(struct inputs *inputs, rd_kafka_t *consumer,
				  rd_kafka_topic_partition_list_t *list, int wake_fd) _must_check_;
/* Accepts an assignment of which nothing is read yet. */
rd_kafka_resp_err_t inputs_assign_none(rd_kafka_t *consumer);
/* All of them; before the consumer is freed. */
void inputs_close(struct inputs *inputs);

/* The next record, or an error of its partition (`err`); NULL when there is none. Never waits. */
rd_kafka_message_t *inputs_next(struct inputs *inputs);
/* The record that was taken last comes next once more. Takes it. */
void inputs_put_back(struct inputs *inputs, rd_kafka_message_t *message);
/* The record that was taken last is its partition's next once more, after inputs_release. Takes
 * it. */
void inputs_hold(struct inputs *inputs, rd_kafka_message_t *message);
/* What is held may be taken again. */
void inputs_release(struct inputs *inputs);
/* How many partitions have a record that is held. */
int inputs_held(const struct inputs *inputs);
/* The next record is of another partition than the last one, if another has any. */
void inputs_turn_over(struct inputs *inputs);
