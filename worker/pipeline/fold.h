/*
 * Folding the changelog: the last value of each key wins. Read in any amount, taken out sorted by key, so that SQLite's trees are written in
 * their own order.
 */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct fold;

struct fold_entry {
	const char *key; /* NUL-terminated */
	size_t key_len;
	const void *value; /* NULL: a tombstone */
	size_t value_len;
};

struct fold *fold_new(void);
void fold_free(struct fold *fold);
DEFINE_CLEANUP(struct fold, fold_free)

/* Copies both. */
void fold_put(struct fold *fold, const void *key, size_t key_len, const void *value, size_t value_len);

size_t fold_count(const struct fold *fold);
/* Bytes of memory that it takes, roughly. */
size_t fold_bytes(const struct fold *fold);

/* Calls `fn` for each entry in the order of the keys' bytes, then empties the fold. A negative return of `fn` ends the walk (the fold is emptied all the same). */
int fold_drain(struct fold *fold, int (*fn)(void *userdata, const struct fold_entry *entry), void *userdata) _must_check_;
