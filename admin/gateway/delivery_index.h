/*
 * What has not been delivered: pending and dead deliveries of each webhook, without their bodies,
 * as the changelog has them. What GET /v1/webhooks/{id}/deliveries answers from.
 *
 * Bounded: DELIVERY_INDEX_MAX deliveries in all, and DELIVERY_INDEX_TENANT_MAX of a tenant, at 160
 * bytes each (40 MiB with the table they are found by). What is beyond is not taken, and answers
 * (the tenant's; all where all is full) say "complete":false from then on, until the gateway is
 * started again: its counts are "at least". Of a webhook it holds 150 bytes more than the registry
 * that the workers hold.
 */
#pragma once

#include "avro/codec.h"
#include "base/buffer.h"
#include "domain/cursor.h"
#include "kafka/reader.h"

struct delivery_index;

enum { DELIVERY_INDEX_MAX = 200 * 1000, DELIVERY_INDEX_TENANT_MAX = 50 * 1000 };

/* The codec is borrowed. */
struct delivery_index *delivery_index_new(struct codec *codec);
void delivery_index_free(struct delivery_index *index);
DEFINE_CLEANUP(struct delivery_index, delivery_index_free)

/* A record of the changelog, of any kind; one thread. */
void delivery_index_apply(struct delivery_index *index, const struct record *record);

struct delivery_query {
	const char *tenant_id;
	struct uuid webhook_id;
	bool has_status;
	enum delivery_status status;
	size_t limit;        /* 1..1000 */
	struct cursor after; /* zero: from the first on */
};

enum { DELIVERY_PAGE_BYTES_MAX = 1024 * 1024 };
enum { DELIVERY_INDEX_E_NOT_FOUND = 1 };

/*
 * {"data":[...],"nextCursor":"...","pending":2,"dead":1,"failingSince":null,"complete":true}: in
 * the order (createdAt, id), the cursor absent on the last page; the counts are the webhook's,
 * whatever is asked for. Returns 0, or DELIVERY_INDEX_E_NOT_FOUND where the tenant has no such
 * webhook. Any thread; `arena` is scratch.
 */
int delivery_index_query(struct delivery_index *index, struct arena *arena,
			 const struct delivery_query *query, struct buffer *out) _must_check_;
