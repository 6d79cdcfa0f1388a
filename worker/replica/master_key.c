/* Whether every signing key of a partition can be derived. The file keeps the few master keys that
 * signing keys name, so that the answer needs no walk over all signing keys. */
#include "replica/row.h"

/* Replaces `*id` by the next master key of the partition after it, copied into the arena; "" stands
 * before the first. Returns 1, 0 when there is none, or -EIO. */
static int next_master_key(struct replica *replica, struct arena *arena, int32_t partition,
			   const char **id) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_MASTER_KEY_NEXT);
	int r;

	bind_int(statement, 1, partition);
	bind_text(statement, 2, *id);
	r = row_step(replica, statement);
	if (r > 0)
		*id = arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0));
	return r;
}

static int forget_master_key(struct replica *replica, int32_t partition, const char *id) {
	sqlite3_stmt *statement = replica_statement(replica, STATEMENT_MASTER_KEY_DELETE);

	bind_int(statement, 1, partition);
	bind_text(statement, 2, id);
	return row_run(replica, statement);
}

static int find_key_of(struct replica *replica, struct arena *arena, int32_t partition,
		       int64_t now_ms, const char *master_key_id, struct signing_key *out) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_SIGNING_KEYS_LISTED);
	int r;

	bind_int(statement, 1, partition);
	bind_int(statement, 2, now_ms);
	while ((r = row_step(replica, statement)) > 0) {
		struct state_record record;

		arena_reset(arena);
		r = row_decode(replica, arena, statement, 0, STATE_SIGNING_KEY, &record);
		if (r)
			return r;
		*out = record.signing_key;
		if (strcmp(out->master_key_id, master_key_id) == 0)
			return 0;
	}
	return r ? r : REPLICA_E_NOT_FOUND;
}

int replica_find_orphan_key(struct replica *replica, struct arena *arena, int32_t partition,
			    int64_t now_ms, replica_has_fn has, const void *userdata,
			    struct signing_key *out) {
	_cleanup_(arena_freep) struct arena *ids = arena_new();
	const char *id = "";
	int r;

	while ((r = next_master_key(replica, ids, partition, &id)) > 0) {
		if (has(userdata, id))
			continue;
		r = find_key_of(replica, arena, partition, now_ms, id, out);
		if (r != REPLICA_E_NOT_FOUND)
			return r;
		r = forget_master_key(replica, partition, id);
		if (r)
			return r;
	}
	return r ? r : REPLICA_E_NOT_FOUND;
}
