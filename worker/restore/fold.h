/*
 * A fold of the changelog: the last value of each key of each source. Records are put in any number
 * and taken out sorted by key, so that SQLite's trees are written in their own order. All sources
 * are sorted together: a page of a tree is written once, and not once for each source.
 *
 * Putting a record looks nothing up: the record is copied behind the others. Superseded records are
 * left out when they are taken.
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

/* Copies key and value. Aborts while a sorted fold has records left to take. */
void fold_put(struct fold *fold, uint32_t source, const void *key, size_t key_len,
	      const void *value, size_t value_len);

/* Records that are left, the superseded ones among them. */
size_t fold_count(const struct fold *fold);
/* The memory that it takes, in bytes, roughly. */
size_t fold_bytes(const struct fold *fold);

/* Sorts the records. None can be put from then on until all are taken. */
void fold_sort(struct fold *fold);

/*
 * Takes the next entry, in the order of the keys' bytes and then of the sources. The first call
 * sorts, if fold_sort did not. Returns false when there is none left: the fold is empty then, its
 * memory is freed, and records may be put again. An entry lives until then.
 */
bool fold_take(struct fold *fold, struct fold_entry *out) _must_check_;
/* Whether the fold is sorted and has records left to take. */
bool fold_is_sorted(const struct fold *fold);

/* Empties the fold and frees its memory. */
void fold_clear(struct fold *fold);
