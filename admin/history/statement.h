/* Every SQL statement of the history, prepared once for a connection; and the calls that bind its
 * parameters. */
#pragma once

#include "base/memory.h"
#include "base/uuid.h"

#include <sqlite3.h>
#include <stdint.h>

enum write_statement {
	WRITE_BEGIN,
	WRITE_COMMIT,
	WRITE_SOURCE_GET,
	WRITE_SOURCE_PUT,
	WRITE_TENANT_GET,
	WRITE_TENANT_PUT,
	WRITE_WORD_GET,
	WRITE_WORD_PUT,
	WRITE_DELIVERY_FIND,
	WRITE_DELIVERY_PUT,
	WRITE_DELIVERY_UPDATE,
	WRITE_DELIVERY_FILL,
	WRITE_DELIVERY_EVENTS_FILL,
	WRITE_EVENT_PUT,
	WRITE_SUBJECT_GET,
	WRITE_SUBJECT_PUT,
	WRITE_ATTEMPT,
	WRITE_OLDEST,
	WRITE_NTH_OLDEST,
	WRITE_PRUNE_DELIVERIES,
	WRITE_PRUNE_EVENTS,
	WRITE_PRUNE_ATTEMPTS,
	WRITE_PRUNED,
	WRITE_COUNT,
};

/* Of deliveries and events: one for each index that a filter may use. */
enum read_statement {
	READ_BEGIN,
	READ_END,
	READ_COMPLETE_SINCE,
	READ_TENANT,
	READ_ENDS, /* the places of the oldest delivery and event, and of the newest */
	READ_DELIVERY,
	READ_DELIVERIES,
	READ_DELIVERIES_OF_EVENT,
	READ_DELIVERIES_OF_COMMAND,
	READ_DELIVERIES_OF_SUBJECT,
	READ_DELIVERIES_OF_STATUS,
	READ_DELIVERIES_OF_ANSWER,
	READ_DELIVERIES_OF_WEBHOOK,
	READ_DELIVERIES_OF_WEBHOOK_STATUS,
	READ_DELIVERIES_OF_WEBHOOK_ANSWER,
	READ_EVENTS,
	READ_EVENTS_OF_COMMAND,
	READ_EVENTS_OF_SUBJECT,
	READ_EVENTS_OF_WEBHOOK,
	READ_EVENTS_OF_ANSWER,
	READ_EVENTS_OF_WEBHOOK_ANSWER,
	READ_EVENTS_OF_DELIVERY, /* its newest attempts, the oldest first */
	READ_FAILURES,
	READ_COMMAND_OF_EVENT,
	READ_COMMAND_OF_PUBLISHED,
	READ_ATTEMPTS,
	READ_COUNT,
};

/* The columns of READ_DELIVERY and READ_DELIVERIES*. */
enum delivery_column {
	DELIVERY_PLACE,
	DELIVERY_ID,
	DELIVERY_WEBHOOK_ID,
	DELIVERY_EVENT_ID,
	DELIVERY_EVENT_TYPE,
	DELIVERY_SUBJECT,
	DELIVERY_COMMAND_ID,
	DELIVERY_REQUEST_ID,
	DELIVERY_CLIENT_ID,
	DELIVERY_IS_WHOLE,
	DELIVERY_STATUS,
	DELIVERY_ENDED_AT,
	DELIVERY_NEXT_ATTEMPT_AT,
	DELIVERY_ATTEMPTS,
	DELIVERY_LAST_STATUS,
	DELIVERY_LAST_REASON,
	DELIVERY_COLUMNS,
};

/* Those of READ_EVENTS* and READ_FAILURES; behind them the delivery's, all NULL where there is
 * none, but in READ_EVENTS_OF_DELIVERY. */
enum event_column {
	EVENT_PLACE,
	EVENT_ID,
	EVENT_TYPE,
	EVENT_IS_REPEAT,
	EVENT_STATUS,
	EVENT_WEBHOOK,
	EVENT_NUMBER,
	EVENT_REASON,
	EVENT_DURATION,
	EVENT_ATTEMPTED_AT,
	EVENT_NEXT_ATTEMPT_AT,
	EVENT_COMMAND_ID,
	EVENT_SUBJECT,
	EVENT_SUBJECT_KEY,
	EVENT_VALUE,
	EVENT_COLUMNS,
};

/* Each returns SQLite's result code. */
int history_prepare_write(sqlite3 *db, sqlite3_stmt *out[WRITE_COUNT]) _must_check_;
int history_prepare_read(sqlite3 *db, sqlite3_stmt *out[READ_COUNT]) _must_check_;
void history_statements_finalize(sqlite3_stmt **statements, size_t count);

/* Ends the use of a statement: `_cleanup_(statement_resetp)`. */
static inline void statement_resetp(sqlite3_stmt **statement) {
	if (*statement)
		sqlite3_reset(*statement);
}

/* Parameters count from 1. Bound values are borrowed until the statement is reset. */
static inline void bind_text(sqlite3_stmt *statement, int parameter, const char *text) {
	sqlite3_bind_text(statement, parameter, text, -1, SQLITE_STATIC); /* NULL for NULL */
}

static inline void bind_int(sqlite3_stmt *statement, int parameter, int64_t value) {
	sqlite3_bind_int64(statement, parameter, value);
}

/* NULL where the value is `none`. */
static inline void bind_int_or_null(sqlite3_stmt *statement, int parameter, int64_t value,
				    int64_t none) {
	if (value == none)
		sqlite3_bind_null(statement, parameter);
	else
		bind_int(statement, parameter, value);
}

/* NULL for NULL. */
static inline void bind_uuid(sqlite3_stmt *statement, int parameter, const struct uuid *uuid) {
	sqlite3_bind_blob(statement, parameter, uuid ? uuid->bytes : NULL,
			  uuid ? (int)sizeof(uuid->bytes) : 0, SQLITE_STATIC);
}

/* NULL for a value of another length. */
static inline const struct uuid *column_uuid(sqlite3_stmt *statement, int column) {
	const void *bytes = sqlite3_column_blob(statement, column);

	return sqlite3_column_bytes(statement, column) == (int)sizeof(struct uuid) ? bytes : NULL;
}

static inline const char *column_text(sqlite3_stmt *statement, int column) {
	return (const char *)sqlite3_column_text(statement, column);
}
