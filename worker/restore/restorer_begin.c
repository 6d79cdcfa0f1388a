#include "restore/restorer_begin.h"

#include "base/clock.h"
#include "base/log.h"
#include "restore/restorer_write.h"

/* Reads what the replica holds of the partition; a position goes to `position`. */
static int read_stored(struct restorer *restorer, int32_t partition, struct position *position,
		       struct restore_stored *out) {
	int r = replica_offset_get(restorer->replica, partition, &out->offset, &out->stored_at_ms);

	if (r < 0 || out->offset <= 0)
		return r;
	r = replica_position_get(restorer->replica, partition, position, restorer->arena);
	if (r == 0)
		out->position = position;
	return r == REPLICA_E_NOT_FOUND ? 0 : r;
}

int restorer_begin(struct restorer *restorer, struct restore *restore) {
	struct restore_stored stored = { 0 };
	struct position position;
	const char *why;
	int r = read_stored(restorer, restore->partition, &position, &stored);

	if (r < 0)
		return r;
	why = restore_begin(restore, &stored, clock_wall_ms());
	return why ? restorer_begin_again(restorer, restore, why) : 0;
}

int restorer_begin_again(struct restorer *restorer, struct restore *restore, const char *why) {
	restorer_write_wait(restorer);
	if (restore_has_begun(restore))
		log_warn("partition is restored from scratch", "partition=%d reason=%s",
			 restore->partition, log_quote(why));
	restore_begin_again(restore, ++restorer->last_source);
	restorer->assignment_stale = true;
	return replica_drop_partition(restorer->replica, restore->partition);
}
