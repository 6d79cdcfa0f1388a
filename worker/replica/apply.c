/* One change of the changelog: an idempotent upsert or delete of a row (R7). */
#include "base/invariant.h"
#include "replica/row.h"

#include <assert.h>

static_assert(DELIVERY_PENDING == 0 && DELIVERY_DEAD == 1 && DELIVERY_SUCCEEDED == 2,
	      "schema.sql and statement.c say these as numbers");

static const enum statement put_statements[STATE_KIND_COUNT] = {
	[STATE_WEBHOOK] = STATEMENT_WEBHOOK_PUT,   [STATE_SIGNING_KEY] = STATEMENT_SIGNING_KEY_PUT,
	[STATE_DELIVERY] = STATEMENT_DELIVERY_PUT, [STATE_RECEIPT] = STATEMENT_RECEIPT_PUT,
	[STATE_POSITION] = STATEMENT_POSITION_PUT,
};

static const enum statement delete_statements[STATE_KIND_COUNT] = {
	[STATE_WEBHOOK] = STATEMENT_WEBHOOK_DELETE,
	[STATE_SIGNING_KEY] = STATEMENT_SIGNING_KEY_DELETE,
	[STATE_DELIVERY] = STATEMENT_DELIVERY_DELETE,
	[STATE_RECEIPT] = STATEMENT_RECEIPT_DELETE,
	[STATE_POSITION] = STATEMENT_POSITION_DELETE,
};

/* Binds the parameters that identify the row. Returns their number. */
static int bind_key(struct replica *replica, sqlite3_stmt *statement, int32_t partition,
		    const struct state_key *key) {
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

/* Borrows the ids until the statement is reset: SQLite reads them when it runs. */
static void bind_delivery(sqlite3_stmt *statement, int at, const struct uuid *webhook_id,
			  const char *tenant_id, enum delivery_status status, int64_t due_ms) {
	bind_uuid(statement, at, webhook_id);
	bind_text(statement, at + 1, tenant_id);
	bind_int(statement, at + 2, status);
	bind_int(statement, at + 3, due_ms);
}

/* Binds the columns that the row is looked up by, from parameter `at` on. */
static void bind_columns(sqlite3_stmt *statement, int at, const struct state_record *record) {
	const struct delivery *delivery = &record->delivery;

	switch (record->kind) {
	case STATE_WEBHOOK:
		bind_text(statement, at, record->webhook.tenant_id);
		bind_int(statement, at + 1, record->webhook.created_at_ms);
		bind_uuid(statement, at + 2, &record->webhook.id);
		bind_int(statement, at + 3, subscriber_types(&record->webhook));
		return;
	case STATE_SIGNING_KEY:
		bind_text(statement, at, record->signing_key.tenant_id);
		bind_int(statement, at + 1, record->signing_key.epoch);
		bind_int(statement, at + 2, record->signing_key.expires_at_ms);
		return;
	case STATE_DELIVERY:
		bind_delivery(statement, at, &delivery->webhook_id, delivery->tenant_id,
			      delivery->status, delivery->next_attempt_at_ms);
		return;
	case STATE_RECEIPT:
		bind_int(statement, at, record->receipt.expires_at_ms);
		return;
	case STATE_POSITION:
		return;
	case STATE_KIND_COUNT:
		break;
	}
	impossible("a record has a kind");
}

static int put_master_key(struct replica *replica, int32_t partition, const char *id, size_t len) {
	sqlite3_stmt *statement = replica_statement(replica, STATEMENT_MASTER_KEY_PUT);

	bind_int(statement, 1, partition);
	sqlite3_bind_text64(statement, 2, id, len, SQLITE_STATIC, SQLITE_UTF8);
	return row_run(replica, statement);
}

/* The master keys of a webhook's secrets. */
static int put_master_keys(struct replica *replica, int32_t partition,
			   const struct webhook *webhook) {
	const char *ids[] = { webhook->secret_master_key_id, webhook->former_secret_master_key_id };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(ids); i++)
		if (ids[i])
			r = put_master_key(replica, partition, ids[i], strlen(ids[i]));
	for (size_t i = 0; r == 0 && i < webhook->header_count; i++)
		if (webhook->headers[i].sealed_len >= WEBHOOK_SEALED_KEY_ID_LEN)
			r = put_master_key(replica, partition,
					   (const char *)webhook->headers[i].sealed,
					   WEBHOOK_SEALED_KEY_ID_LEN);
	return r;
}

static int note_master_keys(struct replica *replica, int32_t partition,
			    const struct state_record *record) {
	if (record && record->kind == STATE_SIGNING_KEY)
		return put_master_key(replica, partition, record->signing_key.master_key_id,
				      strlen(record->signing_key.master_key_id));
	return record && record->kind == STATE_WEBHOOK
		   ? put_master_keys(replica, partition, &record->webhook)
		   : 0;
}

static int put_row(void *userdata, const struct unflushed_row *row) {
	struct replica *replica = userdata;
	bool is_delivery = row->tenant_id;
	sqlite3_stmt *statement = replica_statement(replica, is_delivery ? STATEMENT_DELIVERY_PUT
									 : STATEMENT_RECEIPT_PUT);

	bind_int(statement, 2, row->partition);
	sqlite3_bind_blob64(statement, 3, row->value, row->len, SQLITE_STATIC);
	if (is_delivery) {
		absent_ids_clear(&replica->absent);
		sqlite3_bind_blob64(statement, 1, row->key.bytes, row->key.len, SQLITE_STATIC);
		bind_delivery(statement, 4, &row->webhook_id, row->tenant_id, DELIVERY_PENDING,
			      row->at_ms);
	} else {
		sqlite3_bind_text64(statement, 1, row->key.bytes, row->key.len, SQLITE_STATIC,
				    SQLITE_UTF8);
		bind_int(statement, 4, row->at_ms);
	}
	return row_run(replica, statement);
}

int replica_write_unflushed(struct replica *replica) {
	return unflushed_write(replica->unflushed, replica->in_turn, put_row, replica);
}

/* Returns 1 with a row, 0 without, or -EIO. */
static int has_row(struct replica *replica, const struct uuid *delivery_id) {
	_cleanup_(statement_resetp) sqlite3_stmt *statement =
	    replica_statement(replica, STATEMENT_DELIVERY_FIND);

	bind_uuid(statement, 1, delivery_id);
	return row_step(replica, statement);
}

static int apply_delivery_without_row(struct replica *replica, const struct change *change,
				      struct unflushed_row *row) {
	const struct delivery *delivery = change->record ? &change->record->delivery : NULL;
	int r;

	row->key = (struct unflushed_key){ change->key.id.bytes, sizeof(change->key.id.bytes) };
	if (unflushed_end(replica->unflushed, &row->key, row->partition))
		return !delivery;
	if (!delivery || delivery->status != DELIVERY_PENDING)
		return 0;
	r = absent_ids_has(&replica->absent, &delivery->id) ? 0 : has_row(replica, &delivery->id);
	if (r)
		return MIN(r, 0);
	row->webhook_id = delivery->webhook_id;
	row->tenant_id = delivery->tenant_id;
	row->at_ms = delivery->next_attempt_at_ms;
	return unflushed_put(replica->unflushed, row);
}

/* A row of it may be there all the same: one that has expired, and is not deleted yet. */
static int apply_receipt_without_row(struct replica *replica, const struct change *change,
				     struct unflushed_row *row) {
	const char *text = state_key_format(replica->scratch, &change->key);

	row->key = (struct unflushed_key){ text, strlen(text) };
	if (unflushed_end(replica->unflushed, &row->key, row->partition) || !change->record)
		return 0;
	row->at_ms = change->record->receipt.expires_at_ms;
	return unflushed_put(replica->unflushed, row);
}

/* Applies a change without its row, where that is possible. Returns 1 when it is done, 0 when the
 * row has to change, or -EIO. */
static int apply_without_row(struct replica *replica, int32_t partition,
			     const struct change *change, const void *value, size_t len) {
	struct unflushed_row row = { .partition = partition, .value = value, .len = len };

	switch (change->key.kind) {
	case STATE_DELIVERY:
		return apply_delivery_without_row(replica, change, &row);
	case STATE_RECEIPT:
		return apply_receipt_without_row(replica, change, &row);
	default:
		return 0;
	}
}

static int run_for_row(struct replica *replica, enum statement name, int32_t partition,
		       const struct change *change, const void *value, size_t len) {
	sqlite3_stmt *statement = replica_statement(replica, name);
	int at = bind_key(replica, statement, partition, &change->key) + 1;

	if (change->record) {
		sqlite3_bind_blob64(statement, at, value, len, SQLITE_STATIC);
		bind_columns(statement, at + 1, change->record);
	}
	return row_run(replica, statement);
}

static int run_for_tenant(struct replica *replica, enum statement name, const char *tenant_id) {
	sqlite3_stmt *statement = replica_statement(replica, name);

	bind_text(statement, 1, tenant_id);
	return row_run(replica, statement);
}

/* A webhook's row, and its tenant's count where it came or went. */
static int put_webhook(struct replica *replica, int32_t partition, const struct change *change,
		       const void *value, size_t len) {
	int r = run_for_row(replica, STATEMENT_WEBHOOK_UPDATE, partition, change, value, len);

	if (r || sqlite3_changes(replica->db) > 0)
		return r;
	r = run_for_row(replica, STATEMENT_WEBHOOK_PUT, partition, change, value, len);
	return r ? r
		 : run_for_tenant(replica, STATEMENT_TENANT_GAINS,
				  change->record->webhook.tenant_id);
}

static int delete_webhook(struct replica *replica, int32_t partition, const struct change *change) {
	int r = run_for_row(replica, STATEMENT_WEBHOOK_DELETE, partition, change, NULL, 0);

	if (r || sqlite3_changes(replica->db) == 0)
		return r;
	r = run_for_tenant(replica, STATEMENT_TENANT_LOSES, change->key.tenant_id);
	return r ? r : run_for_tenant(replica, STATEMENT_TENANT_DELETE, change->key.tenant_id);
}

static int apply_row(struct replica *replica, int32_t partition, const struct change *change,
		     const void *value, size_t len) {
	const struct state_record *record = change->record;
	enum state_kind kind = change->key.kind;
	int r;

	if (kind == STATE_DELIVERY && record)
		absent_ids_clear(&replica->absent);
	if (kind == STATE_WEBHOOK && !replica->is_filling)
		r = record ? put_webhook(replica, partition, change, value, len)
			   : delete_webhook(replica, partition, change);
	else
		r = run_for_row(replica, record ? put_statements[kind] : delete_statements[kind],
				partition, change, value, len);
	return r ? r : note_master_keys(replica, partition, record);
}

int replica_apply(struct replica *replica, int32_t partition, const struct change *change,
		  const void *value, size_t len) {
	const struct state_record *record = change->record;
	int r = 0;

	invariant(!value == !record,
		  "a tombstone has neither record nor value, and any other change both");
	invariant_with(!record || record->kind == change->key.kind, "a record is of its key's kind",
		       "record=%d key=%d", (int)record->kind, (int)change->key.kind);
	replica->is_new = false;
	arena_reset(replica->scratch);
	if (change->key.kind == STATE_WEBHOOK)
		subscriber_cache_forget(replica->subscribers, change->key.tenant_id);
	if (replica->in_turn)
		r = apply_without_row(replica, partition, change, value, len);
	return r ? MIN(r, 0) : apply_row(replica, partition, change, value, len);
}
