/* The handlers' look-ups of deliveries: by id, and those that have ended. */
#include "replica/row.h"

int replica_delivery_find(void *userdata, const struct uuid *id, enum delivery_status *status,
			  int64_t *due_ms) {
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_DELIVERY_FIND);
	const struct unflushed_row *unflushed = unflushed_get(
	    replica->unflushed, &(struct unflushed_key){ id->bytes, sizeof(id->bytes) });
	int r;

	if (unflushed) {
		*status = DELIVERY_PENDING;
		*due_ms = unflushed->at_ms;
		return 0;
	}
	bind_uuid(statement, 1, id);
	r = row_step(replica, statement);
	if (r == 0)
		absent_ids_add(&replica->absent, id);
	if (r <= 0)
		return r ? r : REGISTRY_E_NOT_FOUND;
	*status = (enum delivery_status)sqlite3_column_int(statement, 0);
	*due_ms = sqlite3_column_int64(statement, 1);
	return 0;
}

int replica_delivery_get(void *userdata, struct arena *arena, const struct uuid *id,
			 struct delivery *out) {
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_DELIVERY_GET);
	const struct unflushed_row *unflushed = unflushed_get(
	    replica->unflushed, &(struct unflushed_key){ id->bytes, sizeof(id->bytes) });
	struct state_record record;
	int r = 1;

	if (!unflushed) {
		bind_uuid(statement, 1, id);
		r = row_step(replica, statement);
	}
	if (r <= 0)
		return r ? r : REGISTRY_E_NOT_FOUND;
	r = unflushed ? row_decode_value(replica, arena, unflushed->value, unflushed->len,
					 STATE_DELIVERY, &record)
		      : row_decode(replica, arena, statement, 0, STATE_DELIVERY, &record);
	if (!r)
		*out = record.delivery;
	return r;
}

/* What the walk has so far. */
struct ended {
	struct delivery *items;
	size_t count, capacity, bytes;
	size_t walked, walked_bytes;
	int64_t last_ms; /* when the last one that was walked ended */
};

/* The walk ends where it may begin again without passing over one: between two milliseconds, or
 * behind deliveries that were taken, and so are no longer there. */
static bool is_at_end(const struct delivery_walk *walk, const struct ended *ended,
		      int64_t ended_at_ms) {
	if (ended->count > 0 &&
	    (ended->count >= walk->bounds.count || ended->bytes >= walk->bounds.bytes))
		return true;
	return ended_at_ms > ended->last_ms &&
	       (ended->walked >= walk->walked.count || ended->walked_bytes >= walk->walked.bytes);
}

static int look_at(struct replica *replica, struct arena *arena, sqlite3_stmt *statement,
		   const struct delivery_walk *walk, struct ended *ended) {
	size_t bytes = (size_t)sqlite3_column_bytes(statement, 0);
	struct state_record record;
	int r;

	arena_reset(replica->scratch);
	r = row_decode(replica, replica->scratch, statement, 0, STATE_DELIVERY, &record);
	if (r)
		return r;
	ended->walked++;
	ended->walked_bytes += bytes;
	ended->last_ms = record.delivery.next_attempt_at_ms;
	if (!walk->takes(walk->userdata, &record.delivery))
		return 0;
	ended->bytes += bytes;
	ended->items =
	    arena_grow(arena, ended->items, ended->count, &ended->capacity, sizeof(*ended->items));
	ended->items[ended->count++] = delivery_copy(arena, &record.delivery);
	return 0;
}

int replica_delivery_ended(void *userdata, struct arena *arena, const struct delivery_walk *walk,
			   struct delivery **out, size_t *count, int64_t *next_ms) {
	struct replica *replica = userdata;
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_DELIVERY_ENDED);
	struct ended ended = { 0 };
	int r;

	*next_ms = 0;
	bind_uuid(statement, 1, &walk->webhook_id);
	bind_int(statement, 2, walk->status);
	bind_int(statement, 3, walk->since_ms);
	bind_int(statement, 4, walk->until_ms);
	while ((r = row_step(replica, statement)) > 0) {
		int64_t ended_at_ms = sqlite3_column_int64(statement, 1);

		if (is_at_end(walk, &ended, ended_at_ms)) {
			*next_ms = ended_at_ms;
			break;
		}
		r = look_at(replica, arena, statement, walk, &ended);
		if (r)
			return r;
	}
	*out = ended.items;
	*count = ended.count;
	return MIN(r, 0);
}
