/*
 * The history of one partition of the changelog, checked record by record while it is restored
 * (R8): torn or interleaved transactions are found.
 *
 * Compaction removes records and leaves gaps, but between the records of two transactions there
 * always is a gap, the first's position and marker: so a run of offsets without one is of one
 * transaction.
 */
#pragma once

#include "domain/state.h"

#include <stdbool.h>

struct history {
	bool has_position;
	struct position position; /* the last one; without member_id */
	int64_t position_offset;  /* -1: none yet */
	int64_t run_first_offset, run_records;
};

void history_init(struct history *history);

/* Begins behind a position that is known to be right. */
void history_continue(struct history *history, const struct position *position, int64_t offset);

/* A record that is not a position. */
void history_record(struct history *history, int64_t offset);

/* A position record. Returns NULL, or what is wrong with the history that it ends: static text. */
const char *history_position(struct history *history, const struct position *position,
			     int64_t offset);

/* Whether two positions are the same transaction's. */
bool history_same_position(const struct position *a, const struct position *b);
