/*
 * Undelivered deliveries: the pending and dead ones of each webhook, without their bodies, from the
 * changelog. It answers GET /v1/webhooks/{id}/deliveries.
 *
 * It holds at most DELIVERY_INDEX_MAX deliveries, and DELIVERY_INDEX_TENANT_MAX of a tenant, at 160
 * bytes each (40 MiB with the hash table), and 150 bytes for each webhook. Further deliveries are
 * dropped. From then on, until the gateway is restarted, answers have "complete":false, and their
 * counts are lower bounds: those of the tenant, or all answers if the whole index is full.
 */
#pragma once

#include "avro/codec.h"
#include "base/buffer.h"
#include "domain/cursor.h"
#include "kafka/reader.h"

struct delivery_index;

enum { DELIVERY_INDEX_MAX = 200 * 1000, DELIVERY_INDEX_TENANT_MAX = 50 * 1000 };

/* Borrows the codec. */
struct delivery_index *delivery_index_new(struct codec *codec);
void delivery_index_free(struct delivery_index *index);
DEFINE_CLEANUP(struct delivery_index, delivery_index_free)

/* Applies a record of the changelog, of any kind. Call it on one thread. */
void delivery_index_apply(struct delivery_index *index, const struct record *record);

struct delivery_query {
	const char *tenant_id;
	struct uuid webhook_id;
	bool has_status;
	enum delivery_status status;
	size_t limit;        /* 1..1000 */
	struct cursor after; /* zero: from the first one */
};

enum { DELIVERY_PAGE_BYTES_MAX = 1024 * 1024 };
enum { DELIVERY_INDEX_E_NOT_FOUND = 1 };

/* Appends
 * {"data":[...],"nextCursor":"...","pending":2,"dead":1,"failingSince":null,"complete":true}: data
 * in the order (createdAt, id), no cursor on the last page, the counts of the whole webhook.
 * Returns 0, or DELIVERY_INDEX_E_NOT_FOUND where the tenant has no such webhook. Any thread;
 * `arena` is scratch. */
int delivery_index_query(struct delivery_index *index, struct arena *arena,
			 const struct delivery_query *query, struct buffer *out) _must_check_;
