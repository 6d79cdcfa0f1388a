/* The newest records of a stream, in the order of time: since the partitions of a topic come mixed,
 * the newest are not the last ones read. Holds at most twice `limit` items. */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct newest;

/* The order: by time, then partition, then offset. */
struct newest_place {
	int64_t time_ms;
	int32_t partition;
	int64_t offset;
};

/* `limit` is at least 1. `free_item` is called for each item that is dropped, and in newest_free.
 */
struct newest *newest_new(size_t limit, void (*free_item)(void *item));
void newest_free(struct newest *newest);
DEFINE_CLEANUP(struct newest, newest_free)

/* Takes ownership of `item`. */
void newest_add(struct newest *newest, const struct newest_place *place, void *item);
/* The number of all added items. */
uint64_t newest_added(const struct newest *newest);

/* Sorts the items, and returns their number. newest_get returns them, the oldest first, until more
 * are added. */
size_t newest_sort(struct newest *newest);
const void *newest_get(const struct newest *newest, size_t index);
