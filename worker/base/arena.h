/*
 * An arena: many small allocations that are freed together.
 *
 * Everything that one turn of the pipeline decodes, decides and encodes lives in the turn's arena,
 * so values point at each other freely and are never freed one by one. A pointer from an arena is
 * valid until arena_reset or arena_free. Not thread-safe.
 */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena, arena_free)

/* Frees every allocation, but keeps at most one block (64 KiB) for the next use: a large turn
 * does not leave a large arena behind. */
void arena_reset(struct arena *arena);

/* Memory aligned for any type. arena_zalloc zeroes it. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((returns_nonnull, malloc, alloc_size(2)));
void *arena_zalloc(struct arena *arena, size_t size)
    __attribute__((returns_nonnull, malloc, alloc_size(2)));

/* Copies. arena_strndup adds a NUL behind its `len` bytes. arena_strdup_null(NULL) is NULL. */
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strdup_null(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
void *arena_memdup(struct arena *arena, const void *p, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) _printf_(2, 3);

/* Returns room for at least `count + 1` elements of an array that lives in the arena. A full
 * array is moved to a larger place and `*capacity` updated. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity,
		 size_t item_size);
