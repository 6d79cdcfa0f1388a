/* One change of the changelog: an idempotent upsert or delete of a row (R7). */
#include "replica/internal.h"

#include <assert.h>

static_assert(DELIVERY_PENDING == 0 && DELIVERY_DEAD == 1, "schema.sql and statement.c say these as numbers");

static const enum statement put_statements[STATE_KIND_COUNT] = {
	[STATE_WEBHOOK] = STATEMENT_WEBHOOK_PUT,   [STATE_SIGNING_KEY] = STATEMENT_SIGNING_KEY_PUT,
	[STATE_DELIVERY] = STATEMENT_DELIVERY_PUT, [STATE_RECEIPT] = STATEMENT_RECEIPT_PUT,
	[STATE_POSITION] = STATEMENT_POSITION_PUT,
};

static const enum statement delete_statements[STATE_KIND_COUNT] = {
	[STATE_WEBHOOK] = STATEMENT_WEBHOOK_DELETE,   [STATE_SIGNING_KEY] = STATEMENT_SIGNING_KEY_DELETE,
	[STATE_DELIVERY] = STATEMENT_DELIVERY_DELETE, [STATE_RECEIPT] = STATEMENT_RECEIPT_DELETE,
	[STATE_POSITION] = STATEMENT_POSITION_DELETE,
};

/* Binds what identifies the row; returns the number of parameters that took. */
static int bind_key(struct replica *replica, sqlite3_stmt *statement, int32_t partition, const struct state_key *key) {
	if (key->kind == STATE_POSITION) {
		bind_int(statement, 1, partition);
		return 1;
	}
	if (key->kind == STATE_DELIVERY)
		bind_uuid(statement, 1, &key->id);
	else
		bind_text(statement, 1, state_key_format(replica->scratch, key));
	bind_int(statement, 2, partition);
	return 2;
}

/* The columns that the row is looked up by, from parameter `at` on. */
static void bind_columns(sqlite3_stmt *statement, int at, const struct state_record *record) {
	switch (record->kind) {
	case STATE_WEBHOOK:
		bind_text(statement, at, record->webhook.tenant_id);
		bind_int(statement, at + 1, record->webhook.created_at_ms);
		bind_uuid(statement, at + 2, &record->webhook.id);
		return;
	case STATE_SIGNING_KEY:
		bind_text(statement, at, record->signing_key.tenant_id);
		bind_int(statement, at + 1, record->signing_key.epoch);
		bind_int(statement, at + 2, record->signing_key.expires_at_ms);
		return;
	case STATE_DELIVERY:
		bind_uuid(statement, at, &record->delivery.webhook_id);
		bind_int(statement, at + 1, record->delivery.status);
		bind_int(statement, at + 2, record->delivery.next_attempt_at_ms);
		return;
	case STATE_RECEIPT:
		bind_int(statement, at, record->receipt.expires_at_ms);
		return;
	case STATE_POSITION:
		return;
	case STATE_KIND_COUNT:
		break;
	}
	abort();
}

static int put_master_key(struct replica *replica, int32_t partition, const struct signing_key *key) {
	sqlite3_stmt *statement = replica_statement(replica, STATEMENT_MASTER_KEY_PUT);

	bind_int(statement, 1, partition);
	bind_text(statement, 2, key->master_key_id);
	return replica_run(replica, statement);
}

int replica_apply(struct replica *replica, int32_t partition, const struct change *change, const void *value, size_t len) {
	const struct state_record *record = change->record;
	enum state_kind kind = change->key.kind;
	sqlite3_stmt *statement;
	int at, r;

	if (!value != !record || (record && record->kind != kind))
		abort();
	replica->is_new = false;
	arena_reset(replica->scratch);
	statement = replica_statement(replica, record ? put_statements[kind] : delete_statements[kind]);
	at = bind_key(replica, statement, partition, &change->key) + 1;
	if (record) {
		sqlite3_bind_blob64(statement, at, value, len, SQLITE_STATIC);
		bind_columns(statement, at + 1, record);
	}
	r = replica_run(replica, statement);
	return r == 0 && record && kind == STATE_SIGNING_KEY ? put_master_key(replica, partition, &record->signing_key) : r;
}
