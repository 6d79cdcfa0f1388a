/*
 * The newest of the records that pass by, in the order of their time: the partitions of a topic
 * come mixed in any way, so the last ones that were read are not it. Holds at most twice `limit`
 * items.
 */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct newest;

/* What the order is made of; records of one time come by partition and offset. */
struct newest_place {
	int64_t time_ms;
	int32_t partition;
	int64_t offset;
};

/* `limit` is at least 1; `free_item` is called for what falls out, and for all that is left. */
struct newest *newest_new(size_t limit, void (*free_item)(void *item));
void newest_free(struct newest *newest);
DEFINE_CLEANUP(struct newest, newest_free)

/* Takes `item`. */
void newest_add(struct newest *newest, const struct newest_place *place, void *item);
/* How many were added. */
uint64_t newest_added(const struct newest *newest);

/* Sorts them; afterwards newest_get returns them, the oldest first, until more are added. */
size_t newest_sort(struct newest *newest);
const void *newest_get(const struct newest *newest, size_t index);
