#include "restore/restore.h"

#include "base/invariant.h"
#include "base/log.h"

enum {
	/* Half of the changelog's delete.retention.ms (R7): no tombstone is gone yet. */
	TOMBSTONES_SAFE_MS = 7 * 24 * 3600 * 1000 / 2,
	/* A commit's markers take a moment. A transaction that is open for longer may be a dead
	 * worker's. */
	HELD_MS = 100,
	STUCK_MS = 180 * 1000, /* R1 */
};

struct restore *restore_new(const struct restore_request *request, uint32_t source,
			    int64_t now_ms) {
	struct restore *restore = x_calloc(1, sizeof(*restore));

	*restore = (struct restore){
		.partition = request->partition,
		.source = source,
		.gauges = request->gauges,
		.known = *request->known,
		.target = -1,
		.verify_offset = -1,
		.position = BUFFER_INIT(SIZE_MAX),
		.started_ms = now_ms,
		.record_at_ms = now_ms,
	};
	restore->known.member_id = NULL;
	history_init(&restore->history);
	return restore;
}

void restore_free(struct restore *restore) {
	if (!restore)
		return;
	buffer_destroy(&restore->position);
	free(restore->last_writer);
	free(restore);
}

enum restore_state restore_state(const struct restore *restore) {
	if (restore->torn)
		return RESTORE_TORN;
	if (restore->target < 0)
		return RESTORE_STARTING;
	if (!restore->at_end)
		return RESTORE_READING;
	return restore->unwritten > 0 ? RESTORE_READ : RESTORE_DONE;
}

/* Where to begin. */

static void set_last_writer(struct restore *restore, const char *worker_id) {
	free(restore->last_writer);
	restore->last_writer = x_strdup(worker_id);
}

const char *restore_begin(struct restore *restore, const struct restore_stored *stored,
			  int64_t wall_ms) {
	if (stored->offset <= 0)
		return "the replica has nothing of it";
	restore->next_offset = stored->offset;
	if (wall_ms - stored->stored_at_ms > TOMBSTONES_SAFE_MS)
		return "the replica is older than tombstones are kept";
	if (!stored->position)
		return "the replica has no position of it";
	history_continue(&restore->history, stored->position, stored->offset - 1);
	set_last_writer(restore, stored->position->member_id);
	restore->verify_offset = restore->next_offset = stored->offset - 1;
	return NULL;
}

void restore_begin_again(struct restore *restore, uint32_t source) {
	restore->source = source;
	restore->unwritten = 0;
	restore->next_offset = 0;
	restore->verify_offset = -1;
	restore->target = -1;
	restore->at_end = false;
	restore->moved = true;
	history_init(&restore->history);
	buffer_clear(&restore->position);
}

bool restore_has_begun(const struct restore *restore) {
	return restore->next_offset > 0 || restore->moved;
}

const char *restore_check_target(const struct restore *restore, int64_t high) {
	return restore->next_offset > 0 && restore->next_offset >= high
		   ? "the replica is ahead of the changelog: the topic was made anew"
		   : NULL;
}

void restore_set_target(struct restore *restore, int64_t low, int64_t high) {
	restore->next_offset = MAX(restore->next_offset, low);
	restore->target = high;
	restore->at_end = restore->next_offset >= high;
}

/* Taking records. */

static bool is_of_other_store(const struct restore *restore, const struct position *position) {
	return !restore->moved &&
	       uuid_compare(&position->store_id, &restore->history.position.store_id) != 0;
}

/* Not a tear: the generations of a group begin again after it was deleted, or had no member for
 * offsets.retention.minutes. */
static void check_generation(const struct restore *restore, const struct restore_record *record) {
	const struct history *history = &restore->history;

	if (history->has_position && record->position->generation < history->position.generation)
		log_warn("generation of the consumer group falls in the changelog",
			 "partition=%d offset=%lld", restore->partition, (long long)record->offset);
}

static const char *take_position(struct restore *restore, const struct restore_record *record) {
	if (!record->position) {
		restore->torn = "a position record cannot be decoded";
		return NULL;
	}
	set_last_writer(restore, record->position->member_id);
	if (record->offset == restore->verify_offset)
		return history_same_position(record->position, &restore->history.position)
			   ? NULL
			   : "the changelog is not the one that the replica was made from";
	if (is_of_other_store(restore, record->position))
		return "the changelog has another store id than the replica";
	check_generation(restore, record);
	restore->torn = history_position(&restore->history, record->position, record->offset);
	return NULL;
}

static const char *take_other(struct restore *restore, const struct restore_record *record) {
	if (record->offset == restore->verify_offset)
		return "the changelog is not the one that the replica was made from";
	history_record(&restore->history, record->offset);
	return NULL;
}

bool restore_wants(const struct restore *restore, int64_t offset) {
	return offset >= restore->next_offset && !restore->torn;
}

const char *restore_take_record(struct restore *restore, const struct restore_record *record,
				int64_t now_ms) {
	const char *why;

	restore->record_at_ms = now_ms;
	restore->takeover_at_ms = 0;
	restore->records++;
	why = record->is_position ? take_position(restore, record) : take_other(restore, record);
	if (why)
		return why;
	restore->moved |= record->offset != restore->verify_offset;
	restore->verify_offset = -1;
	restore->next_offset = record->offset + 1;
	restore->unwritten++;
	if (record->is_position) {
		buffer_clear(&restore->position);
		buffer_append(&restore->position, record->value, record->len);
	}
	return NULL;
}

void restore_take_end(struct restore *restore, int64_t offset, int64_t now_ms) {
	restore->at_end = offset >= restore->target;
	restore->takeover_at_ms = restore->at_end ? 0 : now_ms + HELD_MS;
	/* Every transaction ends with its position (R8): an import was interrupted. A part of a
	 * state must not pass for the whole. */
	if (restore->at_end && !restore->torn && restore->history.run_records > 0)
		restore->torn = "records behind the last position: an import is not finished";
}

/* Ending. */

void restore_set_torn(struct restore *restore, const char *why) {
	restore->torn = why;
}

void restore_set_written(struct restore *restore) {
	restore->unwritten = 0;
}

const char *restore_check_done(const struct restore *restore) {
	return restore->verify_offset >= 0 ? "the changelog no longer has what the replica reflects"
					   : NULL;
}

/* A restore of before may have written what this one finds reflected already. */
enum restore_end restore_end(const struct restore *restore) {
	if (restore->torn)
		return RESTORE_END_TORN;
	invariant(restore_state(restore) == RESTORE_DONE, "a restore reads to the end (R1)");
	return restore->moved || !history_same_position(&restore->history.position, &restore->known)
		   ? RESTORE_END_MOVED
		   : RESTORE_END_UNMOVED;
}

const char *restore_find_dead_writer(const struct restore *restore, const char *own_id,
				     int64_t now_ms) {
	bool is_due = restore->takeover_at_ms && now_ms >= restore->takeover_at_ms;

	return is_due && restore->last_writer && strcmp(restore->last_writer, own_id) != 0
		   ? restore->last_writer
		   : NULL;
}

void restore_put_off_takeover(struct restore *restore, const char *worker_id, int64_t until_ms) {
	if (restore->takeover_at_ms && restore->last_writer &&
	    strcmp(restore->last_writer, worker_id) == 0)
		restore->takeover_at_ms = until_ms;
}

bool restore_is_stuck(struct restore *restore, int64_t now_ms) {
	if (now_ms - restore->record_at_ms <= STUCK_MS || now_ms - restore->stuck_at_ms <= STUCK_MS)
		return false;
	restore->stuck_at_ms = now_ms;
	return true;
}
