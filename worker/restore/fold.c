#include "restore/fold.h"

#include "base/invariant.h"

#include <endian.h>

enum { BLOCK_SIZE = 1024 * 1024, ALIGNMENT = _Alignof(max_align_t) };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) char data[];
};

enum { CACHE_LINE = 64, AHEAD = 4 /* records */, AHEAD_BYTES_MAX = 2048 };

/* The key, a NUL and the value follow. */
struct record {
	uint32_t source, sequence;
	uint32_t key_len;
	uint32_t value_len;
	bool is_tombstone;
	char key[];
};

static size_t record_size(const struct record *record) {
	return sizeof(*record) + record->key_len + 1 + record->value_len;
}

/* A record's place in the order. `word`: 8 bytes of its key, as a number that sorts as they do. */
struct place {
	uint64_t word;
	struct record *record;
};

struct fold {
	struct block *blocks; /* the first one is being filled */
	struct place *places; /* [count] */
	size_t count, capacity;
	size_t bytes;
	bool is_sorted;
	size_t taken;
};

struct fold *fold_new(void) {
	return x_calloc(1, sizeof(struct fold));
}

void fold_clear(struct fold *fold) {
	for (struct block *block = fold->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(fold->places);
	*fold = (struct fold){ 0 };
}

void fold_free(struct fold *fold) {
	if (!fold)
		return;
	fold_clear(fold);
	free(fold);
}

static void *allocate(struct fold *fold, size_t size) {
	size_t need = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct block *block = fold->blocks;

	if (!block || block->size - block->used < need) {
		size_t block_size = MAX((size_t)BLOCK_SIZE, need);

		block = x_malloc(sizeof(*block) + block_size);
		*block = (struct block){ .next = fold->blocks, .size = block_size };
		fold->blocks = block;
		fold->bytes += block_size;
	}
	block->used += need;
	return block->data + block->used - need;
}

void fold_put(struct fold *fold, uint32_t source, const void *key, size_t key_len,
	      const void *value, size_t value_len) {
	struct record *record = allocate(fold, sizeof(*record) + key_len + 1 + value_len);

	invariant(!fold->is_sorted, "no record is put while a sorted fold has some left to take");
	*record = (struct record){
		.source = source,
		.sequence = (uint32_t)fold->count,
		.key_len = (uint32_t)key_len,
		.value_len = (uint32_t)value_len,
		.is_tombstone = !value,
	};
	memcpy(record->key, key, key_len);
	record->key[key_len] = '\0';
	if (value_len)
		memcpy(record->key + key_len + 1, value, value_len);
	if (fold->count == fold->capacity) {
		fold->bytes -= fold->capacity * sizeof(*fold->places);
		fold->capacity = fold->capacity ? fold->capacity * 2 : 1024;
		fold->places = x_realloc(fold->places, fold->capacity * sizeof(*fold->places));
		fold->bytes += fold->capacity * sizeof(*fold->places);
	}
	fold->places[fold->count++].record = record;
}

size_t fold_count(const struct fold *fold) {
	return fold->count - fold->taken;
}

size_t fold_bytes(const struct fold *fold) {
	return fold->bytes;
}

/* Sorting goes by eight bytes of the keys at a time, as numbers that lie side by side. Places with
 * the same eight bytes are sorted by the next eight. */

/* A key that ends is padded with NULs. */
static uint64_t word_at(const struct record *record, size_t depth) {
	uint64_t word = 0;

	if (depth < record->key_len)
		memcpy(&word, record->key + depth, MIN(record->key_len - depth, sizeof(word)));
	return be64toh(word);
}

static int by_word(const void *a, const void *b) {
	uint64_t x = ((const struct place *)a)->word, y = ((const struct place *)b)->word;

	return (x > y) - (x < y);
}

/* For keys that are the same up to the number of NULs at their end; most are the same. */
static int by_length_and_age(const void *a, const void *b) {
	const struct record *x = ((const struct place *)a)->record,
			    *y = ((const struct place *)b)->record;

	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->sequence < y->sequence ? -1 : 1;
}

/* The length up to which all keys are the same, from `depth` on. Keys of a kind begin alike, and
 * names of tenants often do. */
static size_t common_prefix(const struct place *places, size_t count, size_t depth) {
	const struct record *first = places[0].record;
	size_t common = first->key_len;

	for (size_t i = 1; i < count && common > depth; i++) {
		const struct record *record = places[i].record;
		size_t n = depth;

		common = MIN(common, (size_t)record->key_len);
		while (n < common && record->key[n] == first->key[n])
			n++;
		common = n;
	}
	return MAX(common, depth);
}

static void sort_places(struct place *places, size_t count, size_t depth) {
	size_t longest = 0;

	depth = common_prefix(places, count, depth);
	for (size_t i = 0; i < count; i++) {
		places[i].word = word_at(places[i].record, depth);
		longest = MAX(longest, (size_t)places[i].record->key_len);
	}
	if (longest <= depth) {
		qsort(places, count, sizeof(*places), by_length_and_age);
		return;
	}
	qsort(places, count, sizeof(*places), by_word);
	for (size_t begin = 0, end; begin < count; begin = end) {
		for (end = begin + 1; end < count && places[end].word == places[begin].word; end++)
			;
		if (end - begin > 1)
			sort_places(places + begin, end - begin, depth + sizeof(places->word));
	}
}

static bool is_same_key(const struct record *a, const struct record *b) {
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

bool fold_is_sorted(const struct fold *fold) {
	return fold->is_sorted;
}

static bool is_superseded(const struct fold *fold, size_t i) {
	const struct record *record = fold->places[i].record, *next;

	if (i + 1 == fold->count)
		return false;
	next = fold->places[i + 1].record;
	return record->source == next->source && is_same_key(record, next);
}

void fold_sort(struct fold *fold) {
	if (fold->is_sorted || fold->count == 0)
		return;
	sort_places(fold->places, fold->count, 0);
	fold->is_sorted = true;
}

/* In the order of the keys the records are scattered in memory: without this, each would miss the
 * cache when it is taken. */
static void fetch_ahead(const struct fold *fold) {
	const struct record *record;

	if (fold->taken + 2 * AHEAD >= fold->count)
		return;
	__builtin_prefetch(fold->places[fold->taken + 2 * AHEAD].record);
	record = fold->places[fold->taken + AHEAD].record;
	for (size_t at = CACHE_LINE; at < MIN(record_size(record), (size_t)AHEAD_BYTES_MAX);
	     at += CACHE_LINE)
		__builtin_prefetch((const char *)record + at);
}

bool fold_take(struct fold *fold, struct fold_entry *out) {
	const struct record *record;

	fold_sort(fold);
	while (fold->taken < fold->count && is_superseded(fold, fold->taken))
		fold->taken++;
	if (fold->taken == fold->count) {
		fold_clear(fold);
		return false;
	}
	fetch_ahead(fold);
	record = fold->places[fold->taken++].record;
	*out = (struct fold_entry){
		.source = record->source,
		.key = record->key,
		.key_len = record->key_len,
		.value = record->is_tombstone ? NULL : record->key + record->key_len + 1,
		.value_len = record->value_len,
	};
	return true;
}
