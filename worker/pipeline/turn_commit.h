/*
 * Committing: to Kafka first, then to the replica, with the changelog offset that the rows reflect
 * (R7).
 */
#pragma once

#include "pipeline/turn_state.h"

/* Beside the values of turn_state.h: the changelog is another one than was restored, and nothing
 * may be committed to it. */
enum { TURN_E_REMADE = TRANSACTION_E_FAILED + 1 };

/* Looks at what the brokers took so far, and whether they throttle. */
void turn_note_flow(struct turn *turn);

/* Flushes, sends the offsets and commits. */
int turn_commit_kafka(struct turn *turn) _must_check_;
/* Whether librdkafka told in the flush where each position record lies: R7 needs that. */
bool turn_knows_positions(const struct turn *turn);
/* The rows and their offset, in one savepoint. Returns 0 or a negative errno. */
int turn_commit_replica(struct turn *turn) _must_check_;
