/* The changelog, folded: the last value of each key in each partition, as encoded bytes. */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct state_fold;

struct state_fold *state_fold_new(void);
void state_fold_free(struct state_fold *fold);
DEFINE_CLEANUP(struct state_fold, state_fold_free)

struct state_fold_key {
	int32_t partition;
	const void *bytes;
	size_t len;
};

/* Copies the record; a `value` of NULL is a tombstone. */
void state_fold_apply(struct state_fold *fold, const struct state_fold_key *key, const void *value,
		      size_t len);

/* The value of a key, borrowed until the next change; NULL: there is none. */
const void *state_fold_find(const struct state_fold *fold, const struct state_fold_key *key,
			    size_t *len);

/* Called in the order of keys (bytewise), then partitions. A result other than 0 ends the walk,
 * which returns it. The same type as replica_dump_fn. */
typedef int (*state_fold_fn)(void *userdata, const char *key, int32_t partition, const void *value,
			     size_t len);
int state_fold_walk(struct state_fold *fold, state_fold_fn fn, void *userdata);
