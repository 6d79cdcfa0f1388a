/*
 * The history of one partition of the changelog, checked record by record while it is restored
 * (R8). The check finds torn and interleaved transactions.
 *
 * Compaction removes records and leaves gaps. Between the records of two transactions there always
 * is a gap: the position record and the marker of the first. So the records of a run of offsets
 * without a gap belong to one transaction.
 */
#pragma once

#include "domain/state.h"

#include <stdbool.h>

struct history {
	bool has_position;
	struct position position; /* the last one; no member_id */
	int64_t position_offset;  /* of its record; -1: none yet */
	/* The run of records since then that ends with the last record. */
	int64_t run_first_offset, run_records;
};

void history_init(struct history *history);

/* Goes on behind a position that is known to be right, at the offset of its record. */
void history_continue(struct history *history, const struct position *position, int64_t offset);

/* Takes a record that is not a position. */
void history_record(struct history *history, int64_t offset);

/* Takes a position record. Returns NULL, or the fault of the history up to it: static text. */
const char *history_position(struct history *history, const struct position *position,
			     int64_t offset);

/* Whether two positions are of the same transaction. */
bool history_same_position(const struct position *a, const struct position *b);
