#include "replica/subscriber_cache.h"

#include "base/hash.h"

enum {
	SHARE_MAX = 4,
	ALIGNMENT = 16,          /* what an arena adds to a text, at most */
	ARENA_BYTES = 64 * 1024, /* its first block */
};

struct kept_list {
	UT_hash_handle hh; /* also the order in which they were put */
	const char *tenant_id;
	size_t bytes;
	struct arena *more; /* what the items borrow; NULL: nothing */
	struct subscriber_list list;
	struct subscriber items[]; /* then the tenant's id */
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
	arena_free(kept->more);
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

static size_t length_of_list(const char *const *texts, size_t count) {
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += sizeof(*texts) + ALIGNMENT + strlen(texts[i]);
	return bytes;
}

/* About the bytes that a copy of what it borrows takes. */
static size_t more_bytes(const struct subscriber *subscriber) {
	const struct webhook_filter *filter = subscriber->filter;
	size_t bytes = length_of_list(subscriber->own_types, subscriber->own_count);

	if (!filter)
		return bytes;
	return bytes + sizeof(*filter) +
	       length_of_list(filter->credential_configuration_ids.items,
			      filter->credential_configuration_ids.count) +
	       length_of_list(filter->formats.items, filter->formats.count) +
	       length_of_list(filter->credential_profiles.items,
			      filter->credential_profiles.count) +
	       length_of_list(filter->subjects.items, filter->subjects.count);
}

/* The bytes of all that the list borrows; 0: nothing. */
static size_t list_more_bytes(const struct subscriber_list *list) {
	size_t bytes = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].types & SUBSCRIBER_HAS_MORE)
			bytes += more_bytes(&list->items[i]);
	return bytes > 0 ? bytes + ARENA_BYTES : 0;
}

static void copy_more(struct kept_list *kept) {
	kept->more = arena_new();
	for (size_t i = 0; i < kept->list.count; i++)
		if (kept->items[i].types & SUBSCRIBER_HAS_MORE)
			subscriber_copy_more(&kept->items[i], kept->more);
}

void subscriber_cache_put(struct subscriber_cache *cache, const char *tenant_id,
			  const struct subscriber_list *list) {
	size_t items_bytes = list->count * sizeof(*list->items), id_len = strlen(tenant_id);
	size_t own_bytes = sizeof(struct kept_list) + items_bytes + id_len + 1;
	size_t more = list_more_bytes(list), bytes = own_bytes + more;
	struct kept_list *kept;

	subscriber_cache_forget(cache, tenant_id);
	if (bytes > cache->bytes_max / SHARE_MAX)
		return;
	while (cache->bytes + bytes > cache->bytes_max)
		remove_list(cache, cache->by_tenant);
	kept = x_malloc(own_bytes);
	kept->more = NULL;
	kept->tenant_id = memcpy((char *)kept->items + items_bytes, tenant_id, id_len + 1);
	kept->bytes = bytes;
	kept->list = (struct subscriber_list){ kept->items, list->count };
	if (list->count > 0)
		memcpy(kept->items, list->items, items_bytes);
	if (more > 0)
		copy_more(kept);
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
