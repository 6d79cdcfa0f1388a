/* Every SQL statement of the replica, prepared once; and the calls that bind its parameters. */
#pragma once

#include "base/memory.h"
#include "base/uuid.h"

#include <sqlite3.h>
#include <stdint.h>

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_TURN_BEGIN,
	STATEMENT_TURN_END,
	STATEMENT_TURN_UNDO,

	STATEMENT_OFFSET_GET,
	STATEMENT_OFFSET_SET,
	STATEMENT_OFFSET_DELETE,

	STATEMENT_POSITION_GET,
	STATEMENT_POSITION_PUT,
	STATEMENT_POSITION_DELETE,

	STATEMENT_WEBHOOK_PUT,
	STATEMENT_WEBHOOK_UPDATE,
	STATEMENT_WEBHOOK_DELETE,
	STATEMENT_WEBHOOK_GET,
	STATEMENT_WEBHOOK_LIST,
	STATEMENT_WEBHOOK_COUNT,
	STATEMENT_TENANT_GAINS,
	STATEMENT_TENANT_LOSES,
	STATEMENT_TENANT_DELETE,
	STATEMENT_SUBSCRIBERS,

	STATEMENT_SIGNING_KEY_PUT,
	STATEMENT_SIGNING_KEY_DELETE,
	STATEMENT_SIGNING_KEY_NEWEST,
	STATEMENT_SIGNING_KEY_EXPIRIES,

	STATEMENT_MASTER_KEY_PUT,
	STATEMENT_MASTER_KEY_DELETE,
	STATEMENT_MASTER_KEY_DELETE_ALL,
	STATEMENT_MASTER_KEY_NEXT,

	STATEMENT_RECEIPT_PUT,
	STATEMENT_RECEIPT_DELETE,
	STATEMENT_RECEIPT_GET,

	STATEMENT_DELIVERY_PUT,
	STATEMENT_DELIVERY_DELETE,
	STATEMENT_DELIVERY_FIND,
	STATEMENT_DELIVERY_GET,
	STATEMENT_DELIVERY_ENDED,
	STATEMENT_DELIVERY_PENDING,
	STATEMENT_DELIVERY_NEXT_PENDING,
	STATEMENT_DELIVERY_BACKLOG,

	STATEMENT_EXPIRED_RECEIPTS,
	STATEMENT_EXPIRED_SIGNING_KEYS,
	STATEMENT_EXPIRED_DEAD,
	STATEMENT_EXPIRED_SUCCEEDED,

	STATEMENT_COUNT_WEBHOOKS,
	STATEMENT_COUNT_PENDING,
	STATEMENT_COUNT_DEAD,
	STATEMENT_COUNT_RECEIPTS,
	STATEMENT_SIGNING_KEYS_LISTED,
	STATEMENT_WEBHOOKS_LISTED,

	STATEMENT_DUMP_DELIVERIES,
	STATEMENT_DUMP_SIGNING_KEYS,
	STATEMENT_DUMP_POSITIONS,
	STATEMENT_DUMP_RECEIPTS,
	STATEMENT_DUMP_WEBHOOKS,

	STATEMENT_COUNT,
};

struct statements {
	sqlite3_stmt *prepared[STATEMENT_COUNT];
};

/* Returns SQLite's result code, which is an error when the file's tables are not of this schema. */
int statements_prepare(struct statements *statements, sqlite3 *db) _must_check_;
void statements_finalize(struct statements *statements);

/* Ends the use of a statement: SQLite does not read the bound values any more. Used as
 * `_cleanup_(statement_resetp)`. */
static inline void statement_resetp(sqlite3_stmt **statement) {
	if (*statement)
		sqlite3_reset(*statement);
}

/* Parameters count from 1. The bound value is borrowed until the statement is reset. */
static inline void bind_text(sqlite3_stmt *statement, int parameter, const char *text) {
	sqlite3_bind_text(statement, parameter, text, -1, SQLITE_STATIC);
}

static inline void bind_uuid(sqlite3_stmt *statement, int parameter, const struct uuid *uuid) {
	sqlite3_bind_blob(statement, parameter, uuid->bytes, sizeof(uuid->bytes), SQLITE_STATIC);
}

static inline void bind_int(sqlite3_stmt *statement, int parameter, int64_t value) {
	sqlite3_bind_int64(statement, parameter, value);
}
