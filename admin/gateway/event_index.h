/*
 * The newest analytic events of each tenant, in memory. It answers GET /v1/events. Its memory is
 * bounded, in all and for each tenant: the oldest events are dropped first, and an answer has the
 * time since which it is complete.
 *
 * A tenant's events are in one partition, so that their offsets are an order that all gateways
 * share. A cursor is an offset, and is valid at every gateway.
 */
#pragma once

#include "base/buffer.h"
#include "domain/analytic_event.h"

struct event_index;

enum {
	EVENT_INDEX_BYTES_MAX = 64 * 1024 * 1024,
	EVENT_INDEX_TENANT_BYTES_MAX = 8 * 1024 * 1024,
	EVENT_BYTES_MAX = 16 *
	    1024, /* a larger event, such as a page of a list, is kept without its data */
	EVENT_PAGE_BYTES_MAX = 1024 * 1024,
};

/* An index that is complete since `now_ms` (wall). */
struct event_index *event_index_new(int64_t now_ms);
void event_index_free(struct event_index *index);
DEFINE_CLEANUP(struct event_index, event_index_free)

/* All functions below may be called on any thread. */
void event_index_add(struct event_index *index, const struct analytic_event *event, int64_t offset);

struct event_query {
	const char *tenant_id;
	const char *type; /* NULL: all; "*" stands for any text */
	int64_t from_ms;  /* wall, inclusive */
	int64_t to_ms;    /* wall, exclusive */
	int64_t before;   /* an offset: only events before it */
	size_t limit;
};

/* Appends {"data":[...],"nextCursor":"...","completeSince":"2026-01-31T12:00:00.000Z"}: the newest
 * first, without a cursor on the last page. */
void event_index_query(struct event_index *index, const struct event_query *query,
		       struct buffer *out);
size_t event_index_bytes(struct event_index *index);
