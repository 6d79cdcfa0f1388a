/* What was read goes into the replica, a portion at a time, and then the partitions' offsets. */
#include "base/clock.h"
#include "pipeline/restore_internal.h"

enum {
	FOLD_BYTES_MAX = 48 * 1024 *
	    1024, /* of all partitions together; past it what was read is written */
	FILL_BYTES_MIN = 4 * 1024 * 1024, /* for less it is not worth while to leave the journal */
};

/* Whether a partition was read to its end, and waits for nothing but to be written. */
static bool one_is_read(const struct restorer *r) {
	for (const struct restore *restore = r->restores; restore; restore = restore->next)
		if (restore->target >= 0 && restore->at_end && restore->unwritten > 0 &&
		    !restore->torn)
			return true;
	return false;
}

bool restore_write_is_due(const struct restorer *r) {
	bool writes_here = !r->portion.is_aside && !portion_is_empty(&r->portion);

	return writes_here || fold_is_sorted(r->fold) || fold_bytes(r->fold) >= FOLD_BYTES_MAX ||
	       one_is_read(r);
}

bool restore_write_waits(const struct restorer *r) {
	return restore_write_is_due(r) && portion_is_busy(&r->portion);
}

void restore_write_prepare(struct restorer *r) {
	if (restore_write_waits(r))
		fold_sort(r->fold);
}

static void name_sources(struct restorer *r) {
	portion_forget_sources(&r->portion);
	for (const struct restore *restore = r->restores; restore; restore = restore->next)
		if (!restore->torn)
			portion_add_source(&r->portion, restore->source, restore->partition->id);
}

static void learn_torn(struct restorer *r) {
	for (size_t i = 0; i < r->portion.source_count; i++)
		for (struct restore *restore = r->restores; restore; restore = restore->next)
			if (restore->source == r->portion.sources[i].source &&
			    r->portion.sources[i].torn)
				restore->torn = r->portion.sources[i].torn;
}

void restore_write_settle(struct restorer *r) {
	int error;

	if (!r->portion.is_aside)
		return;
	error = portion_settle(&r->portion);
	if (error < 0)
		r->write_error = error;
	learn_torn(r);
}

/*
 * The position goes in with the offset, after all that they stand for: whoever dies in between has
 * rows that are ahead of the offset, and reads again what they came from.
 */
static int write_offset(struct restorer *r, struct restore *restore) {
	const struct state_record position = { .kind = STATE_POSITION,
					       .position = restore->history.position };
	struct change change = { .key = { .kind = STATE_POSITION }, .record = &position };
	int error = 0;

	if (restore->position.len > 0)
		error = replica_apply(r->replica, restore->partition->id, &change,
				      restore->position.data, restore->position.len);
	if (error == 0)
		error = replica_offset_set(r->replica, restore->partition->id,
					   restore->history.position_offset + 1, clock_wall_ms());
	restore->unwritten = 0;
	return error;
}

static int write_offsets(struct restorer *r) {
	int error = 0;

	for (struct restore *restore = r->restores; restore && error == 0; restore = restore->next)
		if (restore->unwritten > 0 && !restore->torn)
			error = write_offset(r, restore);
	return error;
}

/* Returns 1 when the deadline came first, 0 when all is written, or a negative errno. */
static int write_here(struct restorer *r, int64_t deadline_ms) {
	int more = replica_begin(r->replica), error;

	if (more < 0)
		return more;
	more = portion_write(&r->portion, deadline_ms);
	learn_torn(r);
	error = more == 0 ? write_offsets(r) : MIN(more, 0);
	if (error == 0)
		error = replica_commit(r->replica);
	if (error == 0)
		return more;
	replica_rollback(r->replica);
	return error;
}

int restore_write_slice(struct restorer *r, int64_t deadline_ms) {
	int error = 0;

	restore_write_settle(r);
	if (r->write_error < 0)
		return r->write_error;
	if (portion_is_empty(&r->portion))
		portion_take(&r->portion, &r->fold);
	name_sources(r);
	if (fold_bytes(r->portion.fold) >= FILL_BYTES_MIN)
		error = replica_fill_begin(r->replica);
	if (error < 0)
		return error;
	/* Offsets are of no use in a file that is not full yet; they are written with the portion
	 * that ends a partition. */
	if (replica_is_filling(r->replica) && !one_is_read(r) && portion_write_aside(&r->portion))
		return 1;
	return write_here(r, deadline_ms);
}
