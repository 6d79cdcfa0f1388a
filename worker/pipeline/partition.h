/*
 * One partition of the inputs and the changelog, as this worker knows it.
 *
 *              assign                        activate
 *     ABSENT ──────────► RESTORING ───────────────────────► ACTIVE
 *        ▲               │  ▲  ▲ │                          │  │
 *        │       suspend │  │  └─┼──────── resync ──────────┘  │ suspend
 *        │               ▼  │    │                             │
 *        └─ assign ──── SUSPENDED◄─────────────────────────────┘
 *           (to others)  ▲       │ the history is torn
 *                        │       ▼
 *                        └──── FAILED     loud; until it is assigned again
 *                      suspend
 *
 * The arrows are functions of ownership.h. Only an ACTIVE partition is read from, written for and
 * delivered from. A SUSPENDED one keeps its jobs in flight: when it comes back and the changelog
 * has not moved, nobody else has owned it, its epoch stays and their outcomes count. Otherwise it
 * gets a new epoch, and outcomes of the old one are discarded (R5).
 */
#pragma once

#include "domain/state.h"

#include <stdbool.h>

enum partition_state {
	PARTITION_ABSENT,
	PARTITION_RESTORING,
	PARTITION_ACTIVE,
	PARTITION_SUSPENDED,
	PARTITION_FAILED
};

const char *partition_state_name(enum partition_state state);

enum input { INPUT_ADMIN, INPUT_ISSUANCE, INPUT_EVENT };

/* The open turn's part of a partition. */
struct partition_turn {
	bool is_touched;               /* something was written for it, or read from it */
	int64_t next[POSITION_INPUTS]; /* offsets of the inputs that are read next */
	int32_t records;               /* written to the changelog, without the position's */
	int64_t pending;               /* deliveries recorded less deliveries ended */
	struct position position;
	int64_t position_offset; /* of the position's record; -1: not known */
};

struct partition {
	int32_t id;
	enum partition_state state;
	uint32_t epoch;   /* of the deliveries in memory; 0 before the first activation */
	bool is_restored; /* RESTORING, and the replica holds all of it */
	bool has_moved;   /* others have owned it since it was active here */

	/* As of the last commit. */
	struct position position; /* sequence 0: none yet; member_id is not kept */
	int64_t position_offset;  /* of its record in the changelog */
	int64_t next[POSITION_INPUTS];
	bool is_input_lost[POSITION_INPUTS]; /* the brokers do not have `next` */
	/*
	 * The offset of a command that alone in its turn made a record too large for its topic: it
	 * is a dead letter the next time. -1: none.
	 */
	int64_t poison[POSITION_INPUTS];
	/* Its inputs are not read while dead letters may not be written, since the next record is
	 * one; so it keeps no other partition waiting. */
	bool is_held;

	struct partition_turn turn;
};

/* Moves along an arrow of the drawing; aborts, with a word in the log, on any other. */
void partition_move(struct partition *partition, enum partition_state to);

/* Forgets the poison that `next` has passed. */
void partition_forget_poison(struct partition *partition);

/* Begins a turn: nothing is touched, and the inputs go on from the last commit. */
void partition_turn_reset(struct partition *partition);
/* The open turn was committed: it is the last commit now. */
void partition_turn_commit(struct partition *partition);

/* The table of all. */
struct partitions {
	int32_t count;
	struct partition *items; /* [count], by id */
};
