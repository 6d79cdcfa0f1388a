/*
 * One partition of the inputs and the changelog, as this worker knows it.
 *
 *                 assigned                 restored to the end
 *     ABSENT ───────────────► RESTORING ─────────────────────► ACTIVE
 *        ▲                     │  ▲  ▲                          │  │
 *        │             revoked │  │  └── outcome of a commit ───┘  │ revoked
 *        │                     ▼  │      unknown                   │
 *        └── (other owner) ─ SUSPENDED ◄──────────────────────────┘
 *                              torn history: RESTORING ──► FAILED (loud; stays until it is assigned
 * anew)
 *
 * Only an ACTIVE partition is read from, written for and delivered from. A SUSPENDED one keeps its
 * jobs in flight: when it comes back and the changelog has not moved, nobody else has owned it, its
 * epoch stays and their outcomes count. Otherwise it gets a new epoch, and outcomes of the old one
 * are discarded (R5).
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

enum input { INPUT_ADMIN, INPUT_ISSUANCE };

struct partition {
	int32_t id;
	enum partition_state state;
	uint32_t epoch;   /* of the deliveries in memory; 0 before the first activation */
	bool is_restored; /* RESTORING and read to the end: what is left is to learn where the
			     inputs go on */
	bool has_moved;   /* others have owned it since it was active here */

	/* As of the last commit. */
	struct position position; /* sequence 0: none yet; member_id is not kept */
	int64_t position_offset;  /* of its record in the changelog */
	int64_t next[POSITION_INPUTS];
	bool offset_lost[POSITION_INPUTS]; /* the brokers do not have `next` */
	int64_t poison[POSITION_INPUTS]; /* offset of a command that alone in its turn made a record
					    too large for its topic; -1: none */

	/* Of the open turn. */
	int64_t turn_next[POSITION_INPUTS];
	int32_t turn_records;
	int64_t turn_pending; /* deliveries recorded less deliveries ended */
	bool turn_touched;
	struct position turn_position;
	int64_t turn_position_offset; /* where the position record went; -1: not known */
};

/* Moves along an arrow of the drawing; aborts on any other. */
void partition_move(struct partition *partition, enum partition_state to);

/* Forgets the poison that `next` has passed. */
void partition_forget_poison(struct partition *partition);

/* Forgets the open turn. */
void partition_turn_reset(struct partition *partition);
