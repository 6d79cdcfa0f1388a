#include "changelog/state_fold.h"

/* Out of memory ends the program, as everywhere. */
#define uthash_malloc(size) x_malloc(size)
#include <uthash.h>

struct folded {
	UT_hash_handle hh;
	char *value; /* owned */
	uint32_t value_len;
	uint32_t key_len;
	/* The hashed bytes: the partition, then the key. A NUL follows, which is not hashed. */
	struct {
		int32_t partition;
		char key[];
	} id;
};

struct state_fold {
	struct folded *entries; /* the head of the hash */
};

struct state_fold *state_fold_new(void) {
	return x_calloc(1, sizeof(struct state_fold));
}

static void entry_remove(struct state_fold *fold, struct folded *entry) {
	HASH_DEL(fold->entries, entry);
	free(entry->value);
	free(entry);
}

void state_fold_free(struct state_fold *fold) {
	struct folded *entry, *next;

	HASH_ITER(hh, fold->entries, entry, next) {
		entry_remove(fold, entry);
	}
	free(fold);
}

static struct folded *entry_new(const struct state_fold_key *key) {
	struct folded *entry = x_calloc(1, sizeof(*entry) + key->len + 1);

	entry->key_len = (uint32_t)key->len;
	entry->id.partition = key->partition;
	if (key->len)
		memcpy(entry->id.key, key->bytes, key->len);
	return entry;
}

void state_fold_apply(struct state_fold *fold, const struct state_fold_key *key, const void *value,
		      size_t len) {
	struct folded *new = entry_new(key), *entry;
	size_t id_len = sizeof(new->id) + key->len;

	HASH_FIND(hh, fold->entries, &new->id, id_len, entry);
	if (entry || !value) {
		free(new);
	} else {
		entry = new;
		HASH_ADD_KEYPTR(hh, fold->entries, &entry->id, id_len, entry);
	}
	if (!value) {
		if (entry)
			entry_remove(fold, entry);
		return;
	}
	entry->value = x_realloc(entry->value, len);
	memcpy(entry->value, value, len);
	entry->value_len = (uint32_t)len;
}

const void *state_fold_find(const struct state_fold *fold, const struct state_fold_key *key,
			    size_t *len) {
	_cleanup_(x_freep) struct folded *wanted = entry_new(key);
	struct folded *entry;

	HASH_FIND(hh, fold->entries, &wanted->id, sizeof(wanted->id) + key->len, entry);
	*len = entry ? entry->value_len : 0;
	return entry ? entry->value : NULL;
}

static int compare(const void *a, const void *b) {
	const struct folded *x = *(const struct folded *const *)a,
			    *y = *(const struct folded *const *)b;
	int order = memcmp(x->id.key, y->id.key, MIN(x->key_len, y->key_len));

	if (!order)
		order = (x->key_len > y->key_len) - (x->key_len < y->key_len);
	return order ? order
		     : (x->id.partition > y->id.partition) - (x->id.partition < y->id.partition);
}

int state_fold_walk(struct state_fold *fold, state_fold_fn fn, void *userdata) {
	size_t count = HASH_COUNT(fold->entries), i = 0;
	_cleanup_(x_freep) struct folded **sorted = x_calloc(count, sizeof(struct folded *));
	int r = 0;

	for (struct folded *entry = fold->entries; entry; entry = entry->hh.next)
		sorted[i++] = entry;
	qsort(sorted, count, sizeof(struct folded *), compare);
	for (i = 0; !r && i < count; i++)
		r = fn(userdata, sorted[i]->id.key, sorted[i]->id.partition, sorted[i]->value,
		       sorted[i]->value_len);
	return r;
}
