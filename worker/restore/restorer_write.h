/* Writes the fold to the replica, a batch at a time, then the partitions' offsets. */
#pragma once

#include "restore/restorer_state.h"

/* Whether the records that were read have to be written before more are read: they are many, or a
 * partition waits for nothing else. */
bool restorer_write_is_due(const struct restorer *restorer);
/* Whether a write is due, and a thread still writes the batch before. Its end wakes the pipeline.
 */
bool restorer_write_is_blocked(const struct restorer *restorer);
/* Sorts the fold while a write is blocked. */
void restorer_write_prepare(struct restorer *restorer);
/*
 * Writes until the deadline and commits, or starts a thread that writes. Not while a write is
 * blocked. Returns 1 when more is left; 0 when the replica holds every record that was read, and
 * the partitions' offsets; or a negative errno.
 */
int restorer_write_slice(struct restorer *restorer, int64_t deadline_ms) _must_check_;
/* Waits for the batch's thread, if there is one: before any other use of the replica. */
void restorer_write_wait(struct restorer *restorer);
