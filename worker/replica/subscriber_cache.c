#include "replica/subscriber_cache.h"

#include "base/hash.h"
#include "base/packed_text.h"

enum { SHARE_MAX = 4 };

struct kept_list {
	UT_hash_handle hh; /* also the order in which they were put */
	const char *tenant_id;
	size_t bytes;
	struct subscriber_list list;
	/* Then the tables of what they borrow, and their texts; last the tenant's id. */
	struct subscriber items[];
};

struct subscriber_cache {
	struct kept_list *by_tenant;
	size_t bytes, bytes_max;
};

struct subscriber_cache *subscriber_cache_new(size_t bytes_max) {
	struct subscriber_cache *cache = x_calloc(1, sizeof(*cache));

	cache->bytes_max = bytes_max;
	return cache;
}

static void remove_list(struct subscriber_cache *cache, struct kept_list *kept) {
	HASH_DEL(cache->by_tenant, kept);
	cache->bytes -= kept->bytes;
	free(kept);
}

void subscriber_cache_clear(struct subscriber_cache *cache) {
	while (cache->by_tenant)
		remove_list(cache, cache->by_tenant);
}

void subscriber_cache_free(struct subscriber_cache *cache) {
	if (!cache)
		return;
	subscriber_cache_clear(cache);
	free(cache);
}

static struct kept_list *find(const struct subscriber_cache *cache, const char *tenant_id) {
	struct kept_list *kept;

	HASH_FIND(hh, cache->by_tenant, tenant_id, strlen(tenant_id), kept);
	return kept;
}

const struct subscriber_list *subscriber_cache_get(const struct subscriber_cache *cache,
						   const char *tenant_id) {
	const struct kept_list *kept = find(cache, tenant_id);

	return kept ? &kept->list : NULL;
}

/* What a subscriber borrows. */
struct more_size {
	size_t tables, texts; /* bytes */
};

static void add_list(struct more_size *size, const char *const *texts, size_t count) {
	size->tables += count * sizeof(*texts);
	for (size_t i = 0; i < count; i++)
		size->texts += packed_text_size(texts[i]);
}

static void add_more(struct more_size *size, const struct subscriber *subscriber) {
	const struct webhook_filter *filter = subscriber->filter;

	add_list(size, subscriber->more_types, subscriber->more_count);
	size->texts += packed_text_size(subscriber->endpoint);
	if (!filter)
		return;
	size->tables += sizeof(*filter);
	add_list(size, filter->credential_configuration_ids.items,
		 filter->credential_configuration_ids.count);
	add_list(size, filter->formats.items, filter->formats.count);
	add_list(size, filter->credential_profiles.items, filter->credential_profiles.count);
	add_list(size, filter->subjects.items, filter->subjects.count);
}

size_t subscriber_cache_bytes_of(const struct subscriber *subscriber) {
	struct more_size size = { 0 };

	add_more(&size, subscriber);
	return sizeof(*subscriber) + size.tables + size.texts;
}

/* Where the next table and the next text of a list go. */
struct room {
	char *table, *text;
};

static const char **pack_texts(struct room *room, const char *const *texts, size_t count) {
	const char **table = (const char **)(void *)room->table;

	for (size_t i = 0; i < count; i++)
		table[i] = packed_text_add(&room->text, texts[i]);
	room->table += count * sizeof(*table);
	return table;
}

static struct text_list pack_list(struct room *room, const struct text_list *list) {
	return (struct text_list){ pack_texts(room, list->items, list->count), list->count };
}

static const struct webhook_filter *pack_filter(struct room *room,
						const struct webhook_filter *filter) {
	struct webhook_filter *copy = (struct webhook_filter *)(void *)room->table;

	room->table += sizeof(*copy);
	copy->credential_configuration_ids = pack_list(room, &filter->credential_configuration_ids);
	copy->formats = pack_list(room, &filter->formats);
	copy->credential_profiles = pack_list(room, &filter->credential_profiles);
	copy->subjects = pack_list(room, &filter->subjects);
	return copy;
}

/* Copies what the item borrows. */
static void pack_more(struct room *room, struct subscriber *item) {
	item->more_types = pack_texts(room, item->more_types, item->more_count);
	item->endpoint = packed_text_add(&room->text, item->endpoint);
	if (item->filter)
		item->filter = pack_filter(room, item->filter);
}

bool subscriber_cache_takes(const struct subscriber_cache *cache, size_t bytes) {
	return bytes <= cache->bytes_max / SHARE_MAX;
}

void subscriber_cache_put(struct subscriber_cache *cache, const char *tenant_id,
			  const struct subscriber_list *list) {
	size_t items_bytes = list->count * sizeof(*list->items), id_len = strlen(tenant_id), bytes;
	struct more_size more = { 0 };
	struct kept_list *kept;
	struct room room;

	for (size_t i = 0; i < list->count; i++)
		add_more(&more, &list->items[i]);
	bytes = sizeof(*kept) + items_bytes + more.tables + more.texts + id_len + 1;
	subscriber_cache_forget(cache, tenant_id);
	if (!subscriber_cache_takes(cache, bytes))
		return;
	while (cache->bytes + bytes > cache->bytes_max)
		remove_list(cache, cache->by_tenant);
	kept = x_malloc(bytes);
	kept->bytes = bytes;
	kept->list = (struct subscriber_list){ kept->items, list->count };
	if (list->count > 0)
		memcpy(kept->items, list->items, items_bytes);
	room.table = (char *)kept->items + items_bytes;
	room.text = room.table + more.tables;
	for (size_t i = 0; i < list->count; i++)
		pack_more(&room, &kept->items[i]);
	kept->tenant_id = memcpy(room.text, tenant_id, id_len + 1);
	HASH_ADD_KEYPTR(hh, cache->by_tenant, kept->tenant_id, id_len, kept);
	cache->bytes += bytes;
}

void subscriber_cache_forget(struct subscriber_cache *cache, const char *tenant_id) {
	struct kept_list *kept = find(cache, tenant_id);

	if (kept)
		remove_list(cache, kept);
}

size_t subscriber_cache_bytes(const struct subscriber_cache *cache) {
	return cache->bytes;
}
