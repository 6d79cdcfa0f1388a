/*
 * The newest analytic events of each tenant, in memory: what GET /v1/events answers from. Bounded,
 * in all and for each tenant; the oldest go first, and an answer says from when on it is complete.
 *
 * A tenant's events are in one partition, so that their offsets are an order that all gateways
 * share: a cursor is an offset, and serves at any of them.
 */
#pragma once

#include "base/buffer.h"
#include "domain/analytic_event.h"

struct event_index;

enum {
	EVENT_INDEX_BYTES_MAX = 64 * 1024 * 1024,
	EVENT_INDEX_TENANT_BYTES_MAX = 8 * 1024 * 1024,
	EVENT_BYTES_MAX = 16 *
	    1024, /* an event of more is kept without its data: the pages of lists */
	EVENT_PAGE_BYTES_MAX = 1024 * 1024,
};

/* Complete from `now_ms` (wall) on. */
struct event_index *event_index_new(int64_t now_ms);
void event_index_free(struct event_index *index);
DEFINE_CLEANUP(struct event_index, event_index_free)

/* Any thread, as all of these. */
void event_index_add(struct event_index *index, const struct analytic_event *event, int64_t offset);

struct event_query {
	const char *tenant_id;
	const char *type; /* NULL: all; "*" stands for any text */
	int64_t from_ms;  /* wall, that time included */
	int64_t to_ms;    /* wall, that time not included */
	int64_t before;   /* an offset: only older ones */
	size_t limit;
};

/* {"data":[...],"nextCursor":"...","completeSince":"2026-01-31T12:00:00.000Z"}: the newest first,
 * the cursor absent on the last page. */
void event_index_query(struct event_index *index, const struct event_query *query,
		       struct buffer *out);
size_t event_index_bytes(struct event_index *index);
