/*
 * Answers from the history, newest first. Any thread.
 *
 * Each filter has an index that leads to its rows in the order of time; where several hold, the one
 * that leaves the fewest is walked, and the others are tried row by row. A page ends after
 * QUERY_SCAN_MAX rows. So a page may have fewer items than the limit, or none, and a cursor all the
 * same: its time is bounded whatever the filter.
 */
#pragma once

#include "base/buffer.h"
#include "history/filter.h"

enum {
	QUERY_SCAN_MAX = 500,
	QUERY_PAGE_BYTES_MAX = 1024 * 1024,
	QUERY_ATTEMPTS_MAX = 100,
	QUERY_BYTES_MAX = 4 * 1024 * 1024, /* of any answer */
};

/*
 * Appends {"data":[...],"nextCursor":"...","completeSince":"2026-01-31T12:00:00.000Z"}: without a
 * cursor on the last page. A delivery is {"id","webhookId","eventId","eventType","subject",
 * "commandId","status","createdAt","endedAt","nextAttemptAt","attemptCount","lastStatus",
 * "lastReason"}; absent where there is nothing to say. Returns 0 or -EIO after logging.
 */
int history_query_deliveries(struct history *history, const struct history_query *query,
			     struct buffer *out) _must_check_;
/* The same with events, in the form of json_append_event. */
int history_query_events(struct history *history, const struct history_query *asked,
			 struct buffer *out) _must_check_;

enum { HISTORY_E_NOT_FOUND = 1 };

/* Appends the delivery with "attempts":[{"at","status","reason","durationMs","response"}], at
 * most QUERY_ATTEMPTS_MAX of the newest, the oldest first; "attemptsLeftOut", the number of the
 * others; and "completeSince". At most QUERY_BYTES_MAX. HISTORY_E_NOT_FOUND where the tenant has
 * none of that id. `arena` is scratch. */
int history_query_delivery(struct history *history, const char *tenant_id, const struct uuid *id,
			   struct arena *arena, struct buffer *out) _must_check_;
