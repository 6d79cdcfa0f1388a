#include "gateway/delivery_index.h"

#include "base/clock.h"
#include "changelog/delivery_json.h"

#include <pthread.h>
#include <stdio.h>
#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>
#include <utlist.h>

enum { REASON_SIZE = 32 };

struct tenant {
	UT_hash_handle hh;
	size_t webhooks, deliveries;
	bool incomplete;
	char id[];
};

/* A webhook, or only its deliveries: they may outlive it, and compaction may move its record behind
 * theirs. */
struct webhook_entry {
	UT_hash_handle hh;
	struct uuid id;
	struct tenant *tenant;
	struct delivery_entry *deliveries;
	size_t counts[DELIVERY_STATUS_COUNT]; /* by status; of succeeded ones none is held */
	bool exists;
	int64_t failing_since_ms; /* wall; 0: it is not failing */
};

struct delivery_entry {
	UT_hash_handle hh;
	struct delivery_entry *prev, *next; /* of the webhook's */
	struct webhook_entry *webhook;
	struct uuid id;
	char *event_type; /* owned */
	enum delivery_status status;
	int32_t attempts, last_status;
	int64_t created_at_ms, next_attempt_at_ms;
	char last_reason[REASON_SIZE]; /* "": none */
};

struct delivery_index {
	struct codec *codec;
	struct arena *arena;  /* for one record */
	pthread_mutex_t lock; /* guards the members below */
	struct tenant *tenants;
	struct webhook_entry *webhooks;
	struct delivery_entry *deliveries;
	bool incomplete;
};

struct delivery_index *delivery_index_new(struct codec *codec) {
	struct delivery_index *index = x_calloc(1, sizeof(*index));

	index->codec = codec;
	index->arena = arena_new();
	pthread_mutex_init(&index->lock, NULL);
	return index;
}

/* --- Entries --- */

static struct tenant *tenant_of(struct delivery_index *index, const char *id) {
	size_t len = strlen(id);
	struct tenant *tenant;

	HASH_FIND(hh, index->tenants, id, len, tenant);
	if (tenant)
		return tenant;
	tenant = x_calloc(1, sizeof(*tenant) + len + 1);
	memcpy(tenant->id, id, len);
	HASH_ADD_KEYPTR(hh, index->tenants, tenant->id, len, tenant);
	return tenant;
}

static struct webhook_entry *webhook_find(const struct delivery_index *index,
					  const struct uuid *id) {
	struct webhook_entry *webhook;

	HASH_FIND(hh, index->webhooks, id, sizeof(*id), webhook);
	return webhook;
}

static struct webhook_entry *webhook_of(struct delivery_index *index, const char *tenant_id,
					const struct uuid *id) {
	struct webhook_entry *webhook = webhook_find(index, id);

	if (webhook)
		return webhook;
	webhook = x_calloc(1, sizeof(*webhook));
	webhook->id = *id;
	webhook->tenant = tenant_of(index, tenant_id);
	webhook->tenant->webhooks++;
	HASH_ADD(hh, index->webhooks, id, sizeof(webhook->id), webhook);
	return webhook;
}

/* Frees a webhook without a record and deliveries, and a tenant without webhooks. */
static void webhook_settle(struct delivery_index *index, struct webhook_entry *webhook) {
	struct tenant *tenant = webhook->tenant;

	if (webhook->exists || webhook->deliveries)
		return;
	HASH_DEL(index->webhooks, webhook);
	free(webhook);
	if (--tenant->webhooks)
		return;
	HASH_DEL(index->tenants, tenant);
	free(tenant);
}

static void delivery_drop(struct delivery_index *index, struct delivery_entry *delivery) {
	struct webhook_entry *webhook = delivery->webhook;

	HASH_DEL(index->deliveries, delivery);
	DL_DELETE(webhook->deliveries, delivery);
	webhook->counts[delivery->status]--;
	webhook->tenant->deliveries--;
	free(delivery->event_type);
	free(delivery);
	webhook_settle(index, webhook);
}

void delivery_index_free(struct delivery_index *index) {
	struct webhook_entry *webhook, *next;

	while (index->deliveries)
		delivery_drop(index, index->deliveries);
	HASH_ITER(hh, index->webhooks, webhook, next) {
		webhook->exists = false;
		webhook_settle(index, webhook);
	}
	pthread_mutex_destroy(&index->lock);
	arena_free(index->arena);
	free(index);
}

/* --- The fold --- */

static struct delivery_entry *delivery_find(const struct delivery_index *index,
					    const struct uuid *id) {
	struct delivery_entry *delivery;

	HASH_FIND(hh, index->deliveries, id, sizeof(*id), delivery);
	return delivery;
}

/* Returns NULL where there is no room. */
static struct delivery_entry *delivery_add(struct delivery_index *index,
					   const struct delivery *from) {
	struct webhook_entry *webhook = webhook_of(index, from->tenant_id, &from->webhook_id);
	struct tenant *tenant = webhook->tenant;
	struct delivery_entry *delivery;

	index->incomplete =
	    index->incomplete || HASH_COUNT(index->deliveries) == DELIVERY_INDEX_MAX;
	tenant->incomplete = tenant->incomplete || tenant->deliveries == DELIVERY_INDEX_TENANT_MAX;
	if (HASH_COUNT(index->deliveries) == DELIVERY_INDEX_MAX ||
	    tenant->deliveries == DELIVERY_INDEX_TENANT_MAX) {
		webhook_settle(index, webhook);
		return NULL;
	}
	delivery = x_calloc(1, sizeof(*delivery));
	delivery->id = from->id;
	delivery->webhook = webhook;
	delivery->status = from->status;
	webhook->counts[delivery->status]++;
	tenant->deliveries++;
	DL_APPEND(webhook->deliveries, delivery);
	HASH_ADD(hh, index->deliveries, id, sizeof(delivery->id), delivery);
	return delivery;
}

/* One that succeeded is the history's to tell. */
static void put_delivery(struct delivery_index *index, const struct delivery *from) {
	struct delivery_entry *delivery = delivery_find(index, &from->id);

	if (from->status == DELIVERY_SUCCEEDED && delivery)
		delivery_drop(index, delivery);
	if (from->status == DELIVERY_SUCCEEDED)
		return;
	delivery = delivery ? delivery : delivery_add(index, from);
	if (!delivery)
		return;
	delivery->webhook->counts[delivery->status]--;
	delivery->webhook->counts[from->status]++;
	delivery->status = from->status;
	free(delivery->event_type);
	delivery->event_type = x_strdup(from->event_type);
	delivery->attempts = from->attempts;
	delivery->last_status = from->last_status;
	delivery->created_at_ms = from->created_at_ms;
	delivery->next_attempt_at_ms = from->next_attempt_at_ms;
	snprintf(delivery->last_reason, sizeof(delivery->last_reason), "%s",
		 from->last_reason ? from->last_reason : "");
}

static void put_webhook(struct delivery_index *index, const struct webhook *from) {
	struct webhook_entry *webhook = webhook_of(index, from->tenant_id, &from->id);

	webhook->exists = true;
	webhook->failing_since_ms = from->failing_since_ms;
}

static void put(struct delivery_index *index, const struct state_record *state) {
	if (state->kind == STATE_DELIVERY)
		put_delivery(index, &state->delivery);
	else if (state->kind == STATE_WEBHOOK)
		put_webhook(index, &state->webhook);
}

static void drop(struct delivery_index *index, const struct state_key *key) {
	struct delivery_entry *delivery =
	    key->kind == STATE_DELIVERY ? delivery_find(index, &key->id) : NULL;
	struct webhook_entry *webhook =
	    key->kind == STATE_WEBHOOK ? webhook_find(index, &key->id) : NULL;

	if (delivery)
		delivery_drop(index, delivery);
	if (webhook) {
		webhook->exists = false;
		webhook_settle(index, webhook);
	}
}

/* Decodes before it takes the lock, so that queries do not wait for it. */
void delivery_index_apply(struct delivery_index *index, const struct record *record) {
	struct state_key key;
	struct state_record state;
	const char *why;

	arena_reset(index->arena);
	if (state_key_parse(index->arena, record->key, record->key_len, &key) ||
	    (key.kind != STATE_DELIVERY && key.kind != STATE_WEBHOOK))
		return;
	if (record->value && codec_decode_state(index->codec, index->arena, record->value,
						record->len, &state, &why))
		return;
	pthread_mutex_lock(&index->lock);
	if (record->value)
		put(index, &state);
	else
		drop(index, &key);
	pthread_mutex_unlock(&index->lock);
}

/* --- The answer --- */

static int compare(const struct cursor *a, const struct cursor *b) {
	int order = (a->created_at_ms > b->created_at_ms) - (a->created_at_ms < b->created_at_ms);

	return order ? order : uuid_compare(&a->id, &b->id);
}

static struct cursor place_of(const struct delivery_entry *delivery) {
	return (struct cursor){ .created_at_ms = delivery->created_at_ms, .id = delivery->id };
}

static int by_place(const void *a, const void *b) {
	struct cursor x = place_of(*(const struct delivery_entry *const *)a),
		      y = place_of(*(const struct delivery_entry *const *)b);

	return compare(&x, &y);
}

static bool is_wanted(const struct delivery_entry *delivery, const struct delivery_query *query) {
	struct cursor place = place_of(delivery);

	return (!query->has_status || delivery->status == query->status) &&
	       compare(&place, &query->after) > 0;
}

static size_t collect(const struct webhook_entry *webhook, const struct delivery_query *query,
		      const struct delivery_entry **out) {
	const struct delivery_entry *delivery;
	size_t count = 0;

	DL_FOREACH(webhook->deliveries, delivery)
	if (is_wanted(delivery, query))
		out[count++] = delivery;
	if (count)
		qsort(out, count, sizeof(*out), by_place);
	return count;
}

static void append_delivery(struct buffer *out, const struct delivery_entry *entry) {
	const struct delivery delivery = { .id = entry->id,
					   .webhook_id = entry->webhook->id,
					   .event_type = entry->event_type,
					   .status = entry->status,
					   .attempts = entry->attempts,
					   .last_status = entry->last_status,
					   .last_reason =
					       *entry->last_reason ? entry->last_reason : NULL,
					   .created_at_ms = entry->created_at_ms,
					   .next_attempt_at_ms = entry->next_attempt_at_ms };

	delivery_json_append(out, &delivery, false);
}

static void append_page(struct buffer *out, struct arena *arena,
			const struct webhook_entry *webhook, const struct delivery_query *query) {
	size_t held = webhook->counts[DELIVERY_PENDING] + webhook->counts[DELIVERY_DEAD];
	const struct delivery_entry **wanted =
	    arena_alloc(arena, (held + 1) * sizeof(struct delivery_entry *));
	size_t count = collect(webhook, query, wanted), shown = MIN(count, query->limit);

	buffer_append_string(out, "{\"data\":[");
	for (size_t i = 0; i < shown; i++) {
		buffer_append_string(out, i ? "," : "");
		append_delivery(out, wanted[i]);
	}
	buffer_append_char(out, ']');
	if (shown < count) {
		struct cursor last = place_of(wanted[shown - 1]);

		buffer_printf(out, ",\"nextCursor\":\"%s\"", cursor_format(arena, &last));
	}
}

static void append_summary(struct buffer *out, const struct delivery_index *index,
			   const struct webhook_entry *webhook) {
	char since[CLOCK_ISO8601_SIZE];

	clock_format_iso8601(webhook->failing_since_ms, since);
	buffer_printf(out, ",\"pending\":%zu,\"dead\":%zu,\"failingSince\":",
		      webhook->counts[DELIVERY_PENDING], webhook->counts[DELIVERY_DEAD]);
	buffer_append_json_string_or_null(out, webhook->failing_since_ms ? since : NULL);
	buffer_printf(out, ",\"complete\":%s}",
		      index->incomplete || webhook->tenant->incomplete ? "false" : "true");
}

int delivery_index_query(struct delivery_index *index, struct arena *arena,
			 const struct delivery_query *query, struct buffer *out) {
	struct webhook_entry *webhook;
	bool found;

	pthread_mutex_lock(&index->lock);
	webhook = webhook_find(index, &query->webhook_id);
	found = webhook && webhook->exists && !strcmp(webhook->tenant->id, query->tenant_id);
	if (found) {
		append_page(out, arena, webhook, query);
		append_summary(out, index, webhook);
	}
	pthread_mutex_unlock(&index->lock);
	return found ? 0 : DELIVERY_INDEX_E_NOT_FOUND;
}
