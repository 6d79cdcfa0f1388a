#include "replica/statement.h"

#define EXPIRED_DELIVERIES(status)                                                                 \
	"SELECT id FROM delivery WHERE partition = ?1 AND status <> 0 AND status = " status        \
	" AND due_ms < ?2 ORDER BY due_ms LIMIT ?3"

/*
 * The constants of `status` are literals: SQLite uses a partial index only where the query
 * says what the index says. An upsert that changes nothing but the value touches no index.
 */
static const char *const sql[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_TURN_BEGIN] = "SAVEPOINT turn",
	[STATEMENT_TURN_END] = "RELEASE turn",
	[STATEMENT_TURN_UNDO] = "ROLLBACK TO turn",

	[STATEMENT_OFFSET_GET] =
	    "SELECT changelog_offset, stored_at_ms FROM reflected WHERE partition = ?1",
	[STATEMENT_OFFSET_SET] =
	    "INSERT INTO reflected (partition, changelog_offset, stored_at_ms) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (partition) DO UPDATE SET"
	    " changelog_offset = excluded.changelog_offset, stored_at_ms = excluded.stored_at_ms",
	[STATEMENT_OFFSET_DELETE] = "DELETE FROM reflected WHERE partition = ?1",

	[STATEMENT_POSITION_GET] = "SELECT value FROM position WHERE partition = ?1",
	[STATEMENT_POSITION_PUT] = "INSERT INTO position (partition, value) VALUES (?1, ?2)"
				   " ON CONFLICT (partition) DO UPDATE SET value = excluded.value",
	[STATEMENT_POSITION_DELETE] = "DELETE FROM position WHERE partition = ?1",

	[STATEMENT_WEBHOOK_PUT] = "INSERT INTO webhook (key, partition, value, tenant, "
				  "created_at_ms, id, types) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
				  " ON CONFLICT (key, partition) DO UPDATE SET"
				  " value = excluded.value, created_at_ms = "
				  "excluded.created_at_ms, types = excluded.types",
	[STATEMENT_WEBHOOK_UPDATE] = "UPDATE webhook SET value = ?3, created_at_ms = ?5, types = ?7"
				     " WHERE key = ?1 AND partition = ?2",
	[STATEMENT_WEBHOOK_DELETE] = "DELETE FROM webhook WHERE key = ?1 AND partition = ?2",
	[STATEMENT_WEBHOOK_GET] = "SELECT value FROM webhook WHERE key = ?1 LIMIT 1",
	[STATEMENT_WEBHOOK_LIST] =
	    "SELECT value FROM webhook WHERE tenant = ?1 AND (created_at_ms, id) > (?2, ?3)"
	    " ORDER BY created_at_ms, id",
	[STATEMENT_WEBHOOK_COUNT] = "SELECT webhooks FROM tenant WHERE id = ?1",
	[STATEMENT_TENANT_GAINS] = "INSERT INTO tenant (id, webhooks) VALUES (?1, 1)"
				   " ON CONFLICT (id) DO UPDATE SET webhooks = webhooks + 1",
	[STATEMENT_TENANT_LOSES] = "UPDATE tenant SET webhooks = webhooks - 1 WHERE id = ?1",
	[STATEMENT_TENANT_DELETE] = "DELETE FROM tenant WHERE id = ?1 AND webhooks = 0",
	[STATEMENT_SUBSCRIBERS] = "SELECT id, types FROM webhook WHERE tenant = ?1 AND types > 0 "
				  "AND types >= ?2 ORDER BY created_at_ms, id",

	[STATEMENT_SIGNING_KEY_PUT] =
	    "INSERT INTO signing_key (key, partition, value, tenant, epoch, expires_at_ms)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key, partition) DO UPDATE SET"
	    " value = excluded.value, epoch = excluded.epoch, expires_at_ms = "
	    "excluded.expires_at_ms",
	[STATEMENT_SIGNING_KEY_DELETE] =
	    "DELETE FROM signing_key WHERE key = ?1 AND partition = ?2",
	[STATEMENT_SIGNING_KEY_NEWEST] =
	    "SELECT value FROM signing_key WHERE tenant = ?1 ORDER BY epoch DESC LIMIT 1",
	[STATEMENT_SIGNING_KEY_EXPIRIES] =
	    "SELECT expires_at_ms FROM signing_key WHERE tenant = ?1 ORDER BY epoch DESC LIMIT ?2",

	[STATEMENT_MASTER_KEY_PUT] =
	    "INSERT INTO master_key (partition, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	[STATEMENT_MASTER_KEY_DELETE] = "DELETE FROM master_key WHERE partition = ?1 AND id = ?2",
	[STATEMENT_MASTER_KEY_DELETE_ALL] = "DELETE FROM master_key WHERE partition = ?1",
	[STATEMENT_MASTER_KEY_NEXT] =
	    "SELECT id FROM master_key WHERE partition = ?1 AND id > ?2 ORDER BY id LIMIT 1",

	[STATEMENT_RECEIPT_PUT] =
	    "INSERT INTO receipt (key, partition, value, expires_at_ms) VALUES (?1, ?2, ?3, ?4)"
	    " ON CONFLICT (key, partition) DO UPDATE SET"
	    " value = excluded.value, expires_at_ms = excluded.expires_at_ms",
	[STATEMENT_RECEIPT_DELETE] = "DELETE FROM receipt WHERE key = ?1 AND partition = ?2",
	[STATEMENT_RECEIPT_GET] = "SELECT value FROM receipt WHERE key = ?1 LIMIT 1",

	[STATEMENT_DELIVERY_PUT] =
	    "INSERT INTO delivery (id, partition, value, webhook_id, tenant, status, due_ms) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	    " ON CONFLICT (id, partition) DO UPDATE SET value = excluded.value,"
	    " webhook_id = excluded.webhook_id, status = excluded.status, due_ms = excluded.due_ms",
	[STATEMENT_DELIVERY_DELETE] = "DELETE FROM delivery WHERE id = ?1 AND partition = ?2",
	[STATEMENT_DELIVERY_FIND] = "SELECT status, due_ms FROM delivery WHERE id = ?1 LIMIT 1",
	[STATEMENT_DELIVERY_GET] = "SELECT value FROM delivery WHERE id = ?1 LIMIT 1",
	[STATEMENT_DELIVERY_ENDED] =
	    "SELECT value, due_ms FROM delivery WHERE webhook_id = ?1 AND status <> 0 "
	    "AND status = ?2 AND due_ms BETWEEN ?3 AND ?4 ORDER BY due_ms, rowid",
	[STATEMENT_DELIVERY_PENDING] =
	    "SELECT value FROM delivery WHERE webhook_id = ?1 AND status = 0 AND due_ms <= ?2"
	    " ORDER BY due_ms, partition, rowid",
	[STATEMENT_DELIVERY_NEXT_PENDING] =
	    "SELECT value FROM delivery WHERE webhook_id = ?1 AND status = 0 AND due_ms > ?2"
	    " ORDER BY due_ms LIMIT 1",
	[STATEMENT_DELIVERY_BACKLOG] = "SELECT webhook_id, min(due_ms), count(*), tenant FROM "
				       "delivery INDEXED BY delivery_pending"
				       " WHERE status = 0 AND partition = ?1 GROUP BY webhook_id",

	[STATEMENT_EXPIRED_RECEIPTS] =
	    "SELECT key FROM receipt WHERE partition = ?1 AND expires_at_ms <= ?2"
	    " ORDER BY expires_at_ms LIMIT ?3",
	[STATEMENT_EXPIRED_SIGNING_KEYS] =
	    "SELECT key FROM signing_key WHERE partition = ?1 AND expires_at_ms > 0"
	    " AND expires_at_ms <= ?2 ORDER BY expires_at_ms LIMIT ?3",
	[STATEMENT_EXPIRED_DEAD] = EXPIRED_DELIVERIES("1"),
	[STATEMENT_EXPIRED_SUCCEEDED] = EXPIRED_DELIVERIES("2"),

	[STATEMENT_COUNT_WEBHOOKS] = "SELECT count(*) FROM webhook WHERE partition = ?1",
	[STATEMENT_COUNT_PENDING] = "SELECT count(*) FROM delivery INDEXED BY delivery_pending "
				    "WHERE status = 0 AND partition = ?1",
	[STATEMENT_COUNT_DEAD] =
	    "SELECT count(*) FROM delivery WHERE status <> 0 AND status = 1 AND partition = ?1",
	[STATEMENT_COUNT_RECEIPTS] = "SELECT count(*) FROM receipt WHERE partition = ?1",
	[STATEMENT_SIGNING_KEYS_LISTED] = "SELECT value FROM signing_key WHERE partition = ?1"
					  " AND (expires_at_ms = 0 OR expires_at_ms > ?2)",

	[STATEMENT_WEBHOOKS_LISTED] = "SELECT value FROM webhook WHERE partition = ?1",

	[STATEMENT_DUMP_DELIVERIES] =
	    "SELECT id, partition, value FROM delivery ORDER BY id, partition",
	[STATEMENT_DUMP_SIGNING_KEYS] =
	    "SELECT key, partition, value FROM signing_key ORDER BY key, partition",
	[STATEMENT_DUMP_POSITIONS] =
	    "SELECT 'position', partition, value FROM position ORDER BY partition",
	[STATEMENT_DUMP_RECEIPTS] =
	    "SELECT key, partition, value FROM receipt ORDER BY key, partition",
	[STATEMENT_DUMP_WEBHOOKS] =
	    "SELECT key, partition, value FROM webhook ORDER BY key, partition",
};

int statements_prepare(struct statements *statements, sqlite3 *db) {
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		int r = sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
					   &statements->prepared[i], NULL);

		if (r != SQLITE_OK)
			return r;
	}
	return SQLITE_OK;
}

void statements_finalize(struct statements *statements) {
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(statements->prepared[i]);
		statements->prepared[i] = NULL;
	}
}
