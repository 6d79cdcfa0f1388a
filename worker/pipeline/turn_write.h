/* Writing: effects become rows of the replica, and records of the open transaction. */
#pragma once

#include "pipeline/turn_state.h"

/* Writes what handling something in `partition` came to. Empties the scratch. */
int turn_write_effects(struct turn *turn, struct partition *partition,
		       const struct effects *effects) _must_check_;
/* Closes every touched partition with its position record (R8). */
int turn_write_positions(struct turn *turn) _must_check_;
/*
 * The offsets of every touched partition, with the position that they belong to as metadata (R2).
 * The caller destroys the list.
 */
rd_kafka_topic_partition_list_t *turn_offsets(const struct turn *turn);
