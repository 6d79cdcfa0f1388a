/* From the fold into the replica: in the order of the keys, a slice at a time. */
#include "base/clock.h"
#include "pipeline/restore_internal.h"

enum {
	FOLD_BYTES_MAX = 48 * 1024 * 1024, /* of all partitions together; past it what was read is written */
	FILL_BYTES_MIN = 4 * 1024 * 1024,  /* for less it is not worth while to leave the journal */
	LOOK_AT_CLOCK = 256,               /* entries */
};

bool restore_write_is_due(const struct restorer *r) {
	if (fold_is_being_taken(r->fold) || fold_bytes(r->fold) >= FOLD_BYTES_MAX)
		return true;
	for (const struct restore *restore = r->restores; restore; restore = restore->next)
		if (restore->target >= 0 && restore->at_end && restore->unwritten > 0 && !restore->torn)
			return true;
	return false;
}

static struct restore *find(const struct restorer *r, uint32_t source) {
	struct restore *restore = r->restores;

	while (restore && restore->source != source)
		restore = restore->next;
	return restore;
}

static int write_entry(struct restorer *r, const struct fold_entry *entry) {
	struct restore *restore = find(r, entry->source);
	struct state_record record;
	struct change change = { 0 };
	const char *why = "the key";

	if (!restore || restore->torn)
		return 0;
	arena_reset(r->arena);
	if (state_key_parse(r->arena, entry->key, entry->key_len, &change.key) ||
	    (entry->value && codec_decode_state(r->settings.codec, r->arena, entry->value, entry->value_len, &record, &why))) {
		log_error("changelog record cannot be decoded", "partition=%d key=%s error=%s", restore->partition->id, log_quote(entry->key),
			  log_quote(why));
		restore->torn = "a changelog record cannot be decoded";
		return 0;
	}
	change.record = entry->value ? &record : NULL;
	return replica_apply(r->replica, restore->partition->id, &change, entry->value, entry->value_len);
}

/*
 * The position goes in with the offset, after all that they stand for: whoever dies in between has rows that are ahead of the offset, and reads
 * again what they came from.
 */
static int write_offset(struct restorer *r, struct restore *restore) {
	const struct state_record position = { .kind = STATE_POSITION, .position = restore->history.position };
	struct change change = { .key = { .kind = STATE_POSITION }, .record = &position };
	int error = 0;

	if (restore->position.len > 0)
		error = replica_apply(r->replica, restore->partition->id, &change, restore->position.data, restore->position.len);
	if (error == 0)
		error = replica_offset_set(r->replica, restore->partition->id, restore->history.position_offset + 1, clock_wall_ms());
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
static int write_until(struct restorer *r, int64_t deadline_ms) {
	struct fold_entry entry;

	for (int n = 1; fold_take(r->fold, &entry); n++) {
		int error = write_entry(r, &entry);

		if (error < 0)
			return error;
		metric_add(&r->settings.metrics->restored_records, 1);
		if (n % LOOK_AT_CLOCK == 0 && clock_monotonic_ms() >= deadline_ms)
			return 1;
	}
	return write_offsets(r);
}

int restore_write_slice(struct restorer *r, int64_t deadline_ms) {
	int more = fold_bytes(r->fold) >= FILL_BYTES_MIN ? replica_fill_begin(r->replica) : 0, error;

	if (more == 0)
		more = replica_begin(r->replica);
	if (more < 0)
		return more;
	more = write_until(r, deadline_ms);
	error = more < 0 ? more : replica_commit(r->replica);
	if (error == 0)
		return more;
	replica_rollback(r->replica);
	return error;
}
