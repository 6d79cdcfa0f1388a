/*
 * Answers from the history, newest first. Any thread.
 *
 * A filter that few match is looked up by an index; the others are tried row by row, and a page
 * ends after QUERY_SCAN_MAX rows. So a page may have fewer items than the limit, or none, and a
 * cursor all the same: its time is bounded whatever the filter.
 */
#pragma once

#include "base/buffer.h"
#include "history/history.h"

enum {
	QUERY_SCAN_MAX = 2000,
	QUERY_PAGE_BYTES_MAX = 1024 * 1024,
	QUERY_ATTEMPTS_MAX = 100,
	QUERY_BYTES_MAX = 4 * 1024 * 1024, /* of any answer */
};

struct history_query {
	const char *tenant_id;
	const char *subject;    /* NULL: any; of a credential its credentialId */
	const char *command_id; /* NULL: any */
	bool has_event_id, has_webhook_id, has_status;
	struct uuid event_id; /* of the callback's event */
	struct uuid webhook_id;
	enum history_status status; /* of the delivery, now */
	int32_t http_status;        /* the last one of the delivery, or the event's; 0: any */
	const char *type;           /* of events; NULL: any; "*" stands for any text */
	int64_t from_ms;            /* wall, inclusive; of a delivery's recording, or the event */
	int64_t to_ms;              /* wall, exclusive */
	int64_t before;             /* a cursor; INT64_MAX: from the newest on */
	size_t limit;
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
int history_query_events(struct history *history, const struct history_query *query,
			 struct buffer *out) _must_check_;

enum { HISTORY_E_NOT_FOUND = 1 };

/* Appends the delivery with "attempts":[{"at","status","reason","durationMs","response"}], at
 * most QUERY_ATTEMPTS_MAX of the newest, the oldest first; "attemptsLeftOut", the number of the
 * others; and "completeSince". At most QUERY_BYTES_MAX. HISTORY_E_NOT_FOUND where the tenant has
 * none of that id. `arena` is scratch. */
int history_query_delivery(struct history *history, const char *tenant_id, const struct uuid *id,
			   struct arena *arena, struct buffer *out) _must_check_;
