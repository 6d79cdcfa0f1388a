/* The queries between two turns: backlog, due deliveries, expired keys, counts. */
#include "replica/row.h"

#include <errno.h>

int replica_backlog(struct replica *replica, int32_t partition, replica_backlog_fn fn,
		    void *userdata) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_DELIVERY_BACKLOG);
	struct uuid webhook_id;
	int r = replica_write_unflushed(replica);

	if (r)
		return r;
	bind_int(statement, 1, partition);
	while ((r = row_step(replica, statement)) > 0) {
		const char *tenant_id = (const char *)sqlite3_column_text(statement, 3);

		r = tenant_id ? row_column_uuid(replica, statement, 0, &webhook_id)
			      : row_fail_damaged(replica, "backlog", "no tenant");
		if (!r)
			r = fn(userdata, &webhook_id, tenant_id, sqlite3_column_int64(statement, 1),
			       sqlite3_column_int64(statement, 2));
		if (r)
			return r;
	}
	return r;
}

int replica_pending(struct replica *replica, struct arena *arena, const struct uuid *webhook_id,
		    int64_t due_ms_max, struct delivery_bounds bounds, struct delivery **out,
		    size_t *count) {
	sqlite3_stmt *statement = replica_statement(replica, STATEMENT_DELIVERY_PENDING);
	int r = replica_write_unflushed(replica);

	if (r)
		return r;
	bind_uuid(statement, 1, webhook_id);
	bind_int(statement, 2, due_ms_max);
	return row_collect_deliveries(replica, arena, statement, bounds, out, count);
}

int replica_walk_pending(struct replica *replica, const struct uuid *webhook_id,
			 replica_delivery_fn fn, void *userdata) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_DELIVERY_PENDING);
	int r = replica_write_unflushed(replica);

	if (r)
		return r;
	bind_uuid(statement, 1, webhook_id);
	bind_int(statement, 2, INT64_MAX);
	while ((r = row_step(replica, statement)) > 0) {
		struct state_record record;

		arena_reset(replica->scratch);
		r = row_decode(replica, replica->scratch, statement, 0, STATE_DELIVERY, &record);
		if (r)
			return r;
		r = fn(userdata, &record.delivery);
		if (r)
			return r;
	}
	return r;
}

int replica_next_pending(struct replica *replica, struct arena *arena,
			 const struct uuid *webhook_id, int64_t after_ms, struct delivery *out) {
	sqlite3_stmt *statement = replica_statement(replica, STATEMENT_DELIVERY_NEXT_PENDING);
	struct delivery *found;
	size_t count;
	int r = replica_write_unflushed(replica);

	if (r)
		return r;
	bind_uuid(statement, 1, webhook_id);
	bind_int(statement, 2, after_ms);
	r = row_collect_deliveries(replica, arena, statement,
				   (struct delivery_bounds){ 1, SIZE_MAX }, &found, &count);
	if (r < 0)
		return r;
	if (count == 0)
		return REPLICA_E_NOT_FOUND;
	*out = found[0];
	return 0;
}

struct key_list {
	struct state_key *items;
	size_t count, capacity, limit;
};

/* Reads column 0 as a key: it is a delivery's id, or a key of the changelog. */
static int read_key(struct replica *replica, struct arena *arena, sqlite3_stmt *statement,
		    enum state_kind kind, struct state_key *out) {
	const char *text;

	if (kind == STATE_DELIVERY) {
		*out = (struct state_key){ .kind = STATE_DELIVERY };
		return row_column_uuid(replica, statement, 0, &out->id);
	}
	text = (const char *)sqlite3_column_text(statement, 0);
	if (!text || state_key_parse(arena, text, strlen(text), out) || out->kind != kind)
		return row_fail_damaged(replica, "expired", "not a key");
	return 0;
}

static int collect_expired(struct replica *replica, struct arena *arena, sqlite3_stmt *statement,
			   enum state_kind kind, struct key_list *list) {
	int r;

	while ((r = row_step(replica, statement)) > 0) {
		list->items = arena_grow(arena, list->items, list->count, &list->capacity,
					 sizeof(*list->items));
		r = read_key(replica, arena, statement, kind, &list->items[list->count]);
		if (r)
			return r;
		list->count++;
	}
	return r;
}

int replica_expired(struct replica *replica, struct arena *arena, int32_t partition,
		    const struct replica_expiry *expiry, size_t limit, struct state_key **out,
		    size_t *count) {
	const struct {
		enum statement statement;
		enum state_kind kind;
		int64_t before_ms;
	} sources[] = {
		{ STATEMENT_EXPIRED_SIGNING_KEYS, STATE_SIGNING_KEY, expiry->now_ms },
		{ STATEMENT_EXPIRED_DEAD, STATE_DELIVERY, expiry->dead_before_ms },
		{ STATEMENT_EXPIRED_SUCCEEDED, STATE_DELIVERY, expiry->succeeded_before_ms },
		{ STATEMENT_EXPIRED_RECEIPTS, STATE_RECEIPT, expiry->now_ms },
	};
	struct key_list list = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(sources) && list.count < limit; i++) {
		_cleanup_(statement_resetp) sqlite3_stmt *statement =
		    replica_statement(replica, sources[i].statement);
		int r;

		bind_int(statement, 1, partition);
		bind_int(statement, 2, sources[i].before_ms);
		bind_int(statement, 3, (int64_t)(limit - list.count));
		r = collect_expired(replica, arena, statement, sources[i].kind, &list);
		if (r)
			return r;
	}
	*out = list.items;
	*count = list.count;
	return 0;
}

static int count_rows(struct replica *replica, enum statement name, int32_t partition,
		      int64_t *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement = replica_statement(replica, name);
	int r;

	bind_int(statement, 1, partition);
	r = row_step(replica, statement);
	if (r <= 0)
		return r ? r : -EIO;
	*out = sqlite3_column_int64(statement, 0);
	return 0;
}

int replica_count(struct replica *replica, int32_t partition, struct replica_counts *out) {
	int r = replica_write_unflushed(replica);

	if (!r)
		r = count_rows(replica, STATEMENT_COUNT_WEBHOOKS, partition, &out->webhooks);
	if (!r)
		r = count_rows(replica, STATEMENT_COUNT_PENDING, partition, &out->pending);
	if (!r)
		r = count_rows(replica, STATEMENT_COUNT_DEAD, partition, &out->dead);
	if (!r)
		r = count_rows(replica, STATEMENT_COUNT_RECEIPTS, partition, &out->receipts);
	return r;
}
