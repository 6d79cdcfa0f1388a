#include "restore/restorer_write.h"

#include "base/clock.h"
#include "base/invariant.h"

enum {
	/* Of all partitions together; a larger fold is written. */
	FOLD_BYTES_MAX = 48 * 1024 * 1024,
	/* A file is filled without its journal from this size on. */
	FILL_BYTES_MIN = 4 * 1024 * 1024,
};

/* Whether a partition was read to its end, and waits for nothing but to be written. */
static bool has_read_partition(const struct restorer *restorer) {
	for (const struct restore *restore = restorer->restores; restore; restore = restore->next)
		if (restore_state(restore) == RESTORE_READ)
			return true;
	return false;
}

bool restorer_write_is_due(const struct restorer *restorer) {
	bool has_begun = !restorer->batch.in_background && !batch_is_empty(&restorer->batch);

	return has_begun || fold_is_sorted(restorer->fold) ||
	       fold_bytes(restorer->fold) >= FOLD_BYTES_MAX || has_read_partition(restorer);
}

bool restorer_write_is_blocked(const struct restorer *restorer) {
	return restorer_write_is_due(restorer) && batch_is_busy(&restorer->batch);
}

void restorer_write_prepare(struct restorer *restorer) {
	if (restorer_write_is_blocked(restorer))
		fold_sort(restorer->fold);
}

static void name_sources(struct restorer *restorer) {
	batch_clear_sources(&restorer->batch);
	for (const struct restore *restore = restorer->restores; restore; restore = restore->next)
		if (!restore->torn)
			batch_add_source(&restorer->batch, restore->source, restore->partition);
}

/* A source that is no restore's any more is passed over. */
static void learn_torn(struct restorer *restorer) {
	for (size_t i = 0; i < restorer->batch.source_count; i++) {
		const struct batch_source *source = &restorer->batch.sources[i];
		struct restore *restore = restorer_find(restorer, source->partition);

		if (source->torn && restore && restore->source == source->source)
			restore_set_torn(restore, source->torn);
	}
}

void restorer_write_wait(struct restorer *restorer) {
	int r;

	if (!restorer->batch.in_background)
		return;
	r = batch_wait(&restorer->batch);
	if (r < 0)
		restorer->write_error = r;
	learn_torn(restorer);
}

/*
 * The position goes in with the offset, after all the records that they stand for. A worker that
 * dies in between has rows that are ahead of the offset, and reads their records again.
 */
static int write_offset(struct restorer *restorer, struct restore *restore) {
	const struct state_record position = { .kind = STATE_POSITION,
					       .position = restore->history.position };
	struct change change = { .key = { .kind = STATE_POSITION }, .record = &position };
	int r = 0;

	if (restore->position.len > 0)
		r = replica_apply(restorer->replica, restore->partition, &change,
				  restore->position.data, restore->position.len);
	if (r == 0)
		r = replica_offset_set(restorer->replica, restore->partition,
				       restore->history.position_offset + 1, clock_wall_ms());
	restore_set_written(restore);
	return r;
}

static int write_offsets(struct restorer *restorer) {
	int r = 0;

	invariant(batch_is_empty(&restorer->batch) && fold_count(restorer->fold) == 0,
		  "an offset is stored once the rows have every record before it (R7)");
	for (struct restore *restore = restorer->restores; restore && r == 0;
	     restore = restore->next)
		if (restore->unwritten > 0 && !restore->torn)
			r = write_offset(restorer, restore);
	return r;
}

/* Writes in a transaction of this thread. Returns 1 when the deadline came first, 0 when all is
 * written, or a negative errno. */
static int write_here(struct restorer *restorer, int64_t deadline_ms) {
	int more = replica_begin(restorer->replica), r;

	if (more < 0)
		return more;
	more = batch_write(&restorer->batch, deadline_ms);
	learn_torn(restorer);
	r = more == 0 ? write_offsets(restorer) : MIN(more, 0);
	if (r == 0)
		r = replica_commit(restorer->replica);
	if (r == 0)
		return more;
	replica_rollback(restorer->replica);
	return r;
}

int restorer_write_slice(struct restorer *restorer, int64_t deadline_ms) {
	int r = 0;

	restorer_write_wait(restorer);
	if (restorer->write_error < 0)
		return restorer->write_error;
	if (batch_is_empty(&restorer->batch))
		batch_take_fold(&restorer->batch, &restorer->fold);
	name_sources(restorer);
	if (fold_bytes(restorer->batch.fold) >= FILL_BYTES_MIN)
		r = replica_fill_begin(restorer->replica);
	if (r < 0)
		return r;
	/* Offsets are of no use in a file that is not full yet: they are written with the batch
	 * that ends a partition. */
	if (replica_is_filling(restorer->replica) && !has_read_partition(restorer) &&
	    batch_write_background(&restorer->batch))
		return 1;
	return write_here(restorer, deadline_ms);
}
