/* A row of the table of deliveries, as a statement's columns have it, and as JSON. */
#pragma once

#include "base/buffer.h"
#include "history/history.h"
#include "history/statement.h"

/* Borrows from the statement until its next step or reset. */
struct delivery_row {
	int64_t place;
	const struct uuid *id, *webhook_id;
	const struct uuid *event_id; /* NULL: not known */
	const char *event_type;
	const char *subject, *command_id, *request_id, *client_id; /* NULL: none */
	bool is_whole;
	enum history_status status;
	int64_t ended_at_ms, next_attempt_at_ms; /* wall; 0: none */
	int32_t attempts;
	int32_t last_status;     /* HTTP; 0: none */
	const char *last_reason; /* NULL: none */
};

/* Reads DELIVERY_COLUMNS columns from `first` on. Returns false where there is no delivery. */
bool delivery_row_read(sqlite3_stmt *statement, int first, struct delivery_row *out);

/* Appends the members of history/query.h's delivery, without the closing brace. */
void delivery_row_append(struct buffer *out, const struct delivery_row *row);

/* Appends `,"name":"2026-01-31T12:00:00.000Z"`; nothing for 0. */
void delivery_row_append_time(struct buffer *out, const char *name, int64_t wall_ms);
/* Appends `,"name":"text"`; nothing for NULL. */
void delivery_row_append_text(struct buffer *out, const char *name, const char *text);
/* Appends `,"name":1`; nothing for `none`. */
void delivery_row_append_number(struct buffer *out, const char *name, int64_t number, int64_t none);
