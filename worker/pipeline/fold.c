#include "pipeline/fold.h"

#include <uthash.h>

struct item {
	UT_hash_handle hh;
	struct fold_entry entry;
	void *value; /* owned */
	char key[];
};

struct fold {
	struct item *items;
	size_t bytes;
};

struct fold *fold_new(void) {
	return x_calloc(1, sizeof(struct fold));
}

static void clear(struct fold *fold) {
	struct item *item, *next;

	HASH_ITER(hh, fold->items, item, next) {
		HASH_DEL(fold->items, item);
		free(item->value);
		free(item);
	}
	fold->bytes = 0;
}

void fold_free(struct fold *fold) {
	if (!fold)
		return;
	clear(fold);
	free(fold);
}

static struct item *get_or_add(struct fold *fold, const void *key, size_t key_len) {
	struct item *item;

	HASH_FIND(hh, fold->items, key, key_len, item);
	if (item)
		return item;
	item = x_calloc(1, sizeof(*item) + key_len + 1);
	memcpy(item->key, key, key_len);
	item->entry = (struct fold_entry){ .key = item->key, .key_len = key_len };
	HASH_ADD_KEYPTR(hh, fold->items, item->key, key_len, item);
	fold->bytes += sizeof(*item) + key_len + 1;
	return item;
}

void fold_put(struct fold *fold, const void *key, size_t key_len, const void *value, size_t value_len) {
	struct item *item = get_or_add(fold, key, key_len);

	fold->bytes += value_len;
	fold->bytes -= item->entry.value_len;
	free(item->value);
	item->value = value ? memcpy(x_malloc(value_len), value, value_len) : NULL;
	item->entry.value = item->value;
	item->entry.value_len = value_len;
}

size_t fold_count(const struct fold *fold) {
	return HASH_COUNT(fold->items);
}

size_t fold_bytes(const struct fold *fold) {
	return fold->bytes;
}

static int by_key(const struct item *a, const struct item *b) {
	int order = memcmp(a->key, b->key, MIN(a->entry.key_len, b->entry.key_len));

	return order ? order : (a->entry.key_len > b->entry.key_len) - (a->entry.key_len < b->entry.key_len);
}

int fold_drain(struct fold *fold, int (*fn)(void *userdata, const struct fold_entry *entry), void *userdata) {
	int r = 0;

	HASH_SORT(fold->items, by_key);
	for (struct item *item = fold->items; item && r >= 0; item = item->hh.next)
		r = fn(userdata, &item->entry);
	clear(fold);
	return r < 0 ? r : 0;
}
