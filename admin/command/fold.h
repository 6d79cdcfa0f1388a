/* The changelog, folded: the last value of each key of each partition, as it was encoded. */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct fold;

struct fold *fold_new(void);
void fold_free(struct fold *fold);
DEFINE_CLEANUP(struct fold, fold_free)

struct fold_key {
	int32_t partition;
	const void *bytes;
	size_t len;
};

/* Copies. `value` NULL is a tombstone. */
void fold_apply(struct fold *fold, const struct fold_key *key, const void *value, size_t len);

/* Called in the order of keys (bytewise) and then partitions; anything but 0 ends the walk and is returned by it. The shape of
 * replica_dump_fn. */
typedef int (*fold_fn)(void *userdata, const char *key, int32_t partition, const void *value, size_t len);
int fold_walk(struct fold *fold, fold_fn fn, void *userdata);
