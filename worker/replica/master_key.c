/* Whether every secret of a partition can be derived. The file keeps the few master keys that
 * signing keys and webhooks name, so that the answer needs no walk over all of them. */
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

static bool is_id(const char *named, const char *id) {
	return named && strcmp(named, id) == 0;
}

/* Whether a secret of the webhook is of the master key. A former one counts until its end. */
static bool webhook_names(const struct webhook *webhook, int64_t now_ms, const char *id) {
	if (is_id(webhook->secret_master_key_id, id) ||
	    (webhook->secret_overlap_until_ms > now_ms &&
	     is_id(webhook->former_secret_master_key_id, id)))
		return true;
	for (size_t i = 0; i < webhook->header_count; i++)
		if (webhook->headers[i].sealed_len >= WEBHOOK_SEALED_KEY_ID_LEN &&
		    strlen(id) == WEBHOOK_SEALED_KEY_ID_LEN &&
		    memcmp(webhook->headers[i].sealed, id, WEBHOOK_SEALED_KEY_ID_LEN) == 0)
			return true;
	return false;
}

/* Whether the record needs the master key; fills `out` then. */
static bool names(const struct state_record *record, struct arena *arena, int64_t now_ms,
		  const char *id, struct orphan *out) {
	const struct webhook *webhook = &record->webhook;
	char text[UUID_TEXT_SIZE];

	if (record->kind == STATE_SIGNING_KEY) {
		*out = (struct orphan){ record->signing_key.tenant_id, "kid",
					record->signing_key.kid, id };
		return is_id(record->signing_key.master_key_id, id);
	}
	if (!webhook_names(webhook, now_ms, id))
		return false;
	uuid_format(&webhook->id, text);
	*out = (struct orphan){ webhook->tenant_id, "webhook", arena_strdup(arena, text), id };
	return true;
}

/* Looks through the signing keys or the webhooks of the partition. */
static int find_among(struct replica *replica, struct arena *arena, enum state_kind kind,
		      int32_t partition, int64_t now_ms, const char *id, struct orphan *out) {
	bool is_key = kind == STATE_SIGNING_KEY;
	_cleanup_(statement_resetp) sqlite3_stmt *statement = replica_statement(
	    replica, is_key ? STATEMENT_SIGNING_KEYS_LISTED : STATEMENT_WEBHOOKS_LISTED);
	int r;

	bind_int(statement, 1, partition);
	if (is_key)
		bind_int(statement, 2, now_ms);
	while ((r = row_step(replica, statement)) > 0) {
		struct state_record record;

		arena_reset(arena);
		r = row_decode(replica, arena, statement, 0, kind, &record);
		if (r)
			return r;
		if (names(&record, arena, now_ms, id, out))
			return 0;
	}
	return r ? r : REPLICA_E_NOT_FOUND;
}

static int find_owner(struct replica *replica, struct arena *arena, int32_t partition,
		      int64_t now_ms, const char *id, struct orphan *out) {
	int r = find_among(replica, arena, STATE_SIGNING_KEY, partition, now_ms, id, out);

	return r == REPLICA_E_NOT_FOUND
		   ? find_among(replica, arena, STATE_WEBHOOK, partition, now_ms, id, out)
		   : r;
}

int replica_find_orphan_key(struct replica *replica, struct arena *arena, int32_t partition,
			    int64_t now_ms, replica_has_fn has, const void *userdata,
			    struct orphan *out) {
	_cleanup_(arena_freep) struct arena *ids = arena_new();
	const char *id = "";
	int r;

	while ((r = next_master_key(replica, ids, partition, &id)) > 0) {
		if (has(userdata, id))
			continue;
		r = find_owner(replica, arena, partition, now_ms, id, out);
		if (r == 0)
			out->master_key_id = arena_strdup(arena, id);
		if (r != REPLICA_E_NOT_FOUND)
			return r;
		r = forget_master_key(replica, partition, id);
		if (r)
			return r;
	}
	return r ? r : REPLICA_E_NOT_FOUND;
}
