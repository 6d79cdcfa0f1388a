/*
 * An event, as its row in the table of events keeps it. Nearly all are told by the columns, and by
 * the row of the delivery that they belong to. What the columns do not say, an answer that is no
 * issued credential or what an endpoint answered, is kept as Avro in the last one, without the ids
 * that the columns have.
 */
#pragma once

#include "history/delivery_row.h"
#include "history/reading.h"

/* Whether the event is a step of a delivery. */
bool event_is_of_delivery(const struct analytic_event *event);
/* Whether it tells of an attempt; of one that failed. */
bool event_is_attempt(const struct analytic_event *event);
bool event_is_failed_attempt(const struct analytic_event *event);

/* Encodes what the columns do not say into `out`, which is emptied first, and stays empty where
 * they say all. What is larger than EVENT_VALUE_MAX is kept without the body that an endpoint
 * answered, or else, such as a page of a list, without its data. Returns false for one that is too
 * large also then: its identifiers are longer than a command may have. */
bool event_row_encode(struct codec *codec, const struct analytic_event *event,
		      struct buffer *out) _must_check_;

/* Borrows from the statement until its next step or reset. */
struct event_row {
	int64_t place;
	const struct uuid *id;
	const char *type;
	bool is_repeat;
	int32_t status;
	const char *command_id, *subject; /* of an event without a delivery; NULL: none */
	int64_t webhook, subject_key;     /* 0: none */
	bool has_number;
	int32_t number;
	const char *reason;                          /* NULL: none */
	int64_t duration_ms;                         /* -1: none */
	int64_t attempted_at_ms, next_attempt_at_ms; /* wall; 0: none */
	const void *value;                           /* NULL: none */
	size_t len;
};

/* Reads EVENT_COLUMNS columns. Returns false for a row that this program did not write. */
bool event_row_read(sqlite3_stmt *statement, struct event_row *out);

/* Decodes it into the arena, and borrows from the rows and the reading. `delivery`: the one it is a
 * step of; NULL: none. Returns false, after logging, for a value that this program did not write.
 */
bool event_row_decode(const struct reading *reading, struct arena *arena,
		      const struct event_row *row, const struct delivery_row *delivery,
		      struct analytic_event *out) _must_check_;
