#include "command/newest.h"

struct newest_item {
	struct newest_place place;
	void *item; /* owned */
};

struct newest {
	size_t limit, count, capacity;
	struct newest_item *entries; /* owned; [capacity] */
	uint64_t added;
	void (*free_item)(void *item);
};

struct newest *newest_new(size_t limit, void (*free_item)(void *item)) {
	struct newest *newest = x_calloc(1, sizeof(*newest));

	newest->limit = limit;
	newest->free_item = free_item;
	return newest;
}

void newest_free(struct newest *newest) {
	for (size_t i = 0; i < newest->count; i++)
		newest->free_item(newest->entries[i].item);
	free(newest->entries);
	free(newest);
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare(const void *left, const void *right) {
	const struct newest_place *a = &((const struct newest_item *)left)->place,
				  *b = &((const struct newest_item *)right)->place;

	if (a->time_ms != b->time_ms)
		return COMPARE(a->time_ms, b->time_ms);
	return a->partition != b->partition ? COMPARE(a->partition, b->partition)
					    : COMPARE(a->offset, b->offset);
}

size_t newest_sort(struct newest *newest) {
	size_t old = newest->count > newest->limit ? newest->count - newest->limit : 0;

	if (newest->count)
		qsort(newest->entries, newest->count, sizeof(*newest->entries), compare);
	for (size_t i = 0; i < old; i++)
		newest->free_item(newest->entries[i].item);
	if (old)
		memmove(newest->entries, newest->entries + old,
			newest->limit * sizeof(*newest->entries));
	newest->count -= old;
	return newest->count;
}

/* Drops half of the items at once, so that each costs a logarithm of the limit, whatever their
 * number. */
void newest_add(struct newest *newest, const struct newest_place *place, void *item) {
	if (newest->count == 2 * newest->limit)
		newest_sort(newest);
	if (newest->count == newest->capacity) {
		newest->capacity = MIN(MAX(2 * newest->capacity, (size_t)64), 2 * newest->limit);
		newest->entries =
		    x_realloc(newest->entries, newest->capacity * sizeof(*newest->entries));
	}
	newest->entries[newest->count++] = (struct newest_item){ .place = *place, .item = item };
	newest->added++;
}

uint64_t newest_added(const struct newest *newest) {
	return newest->added;
}

const void *newest_get(const struct newest *newest, size_t index) {
	return newest->entries[index].item;
}
