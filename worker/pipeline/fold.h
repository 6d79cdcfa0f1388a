/*
 * Folding the changelog: of each key that a source wrote the last value. Records are put in any
 * amount, then taken out sorted by key, so that SQLite's trees are written in their own order; all
 * sources together, so that a page of a tree is written once and not once for each.
 *
 * Nothing is looked up when a record is put: it is copied behind the others, and what was
 * superseded goes when they are sorted.
 */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct fold;

struct fold_entry {
	uint32_t source;
	const char *key; /* NUL-terminated */
	size_t key_len;
	const void *value; /* NULL: a tombstone */
	size_t value_len;
};

struct fold *fold_new(void);
void fold_free(struct fold *fold);
DEFINE_CLEANUP(struct fold, fold_free)

/* Copies both. Not while it is being taken from. */
void fold_put(struct fold *fold, uint32_t source, const void *key, size_t key_len,
	      const void *value, size_t value_len);

/* Records that were put, also those that were superseded meanwhile. */
size_t fold_count(const struct fold *fold);
/* Bytes of memory that it takes, roughly. */
size_t fold_bytes(const struct fold *fold);

/* Sorts what was put; nothing can be put from then on, until all is taken. */
void fold_sort(struct fold *fold);

/*
 * The next entry in the order of the keys' bytes, and of the sources where the keys are the same;
 * false when there is none left: it is empty then, and may be put into. The first call sorts, if
 * nobody has. The entry lives until the fold is empty.
 */
bool fold_take(struct fold *fold, struct fold_entry *out) _must_check_;
/* Whether it is sorted, and there is something left to take. */
bool fold_is_sorted(const struct fold *fold);

/* Empties it, and gives its memory back. */
void fold_clear(struct fold *fold);
