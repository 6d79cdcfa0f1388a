/*
 * An arena: many small allocations that live and die together.
 *
 * Everything that one turn of the pipeline decodes, decides and encodes lives in the turn's arena,
 * so values point at each other freely and nothing is freed one by one. A pointer from an arena is
 * valid until arena_reset or arena_free. Not safe for use by several threads at once.
 */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena, arena_free)

/* Forgets every allocation; keeps at most one block (64 KiB) for the next use, so that a large turn
 * is not remembered. */
void arena_reset(struct arena *arena);

/* Memory aligned for any type; arena_zalloc zeroes it. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((returns_nonnull, malloc, alloc_size(2)));
void *arena_zalloc(struct arena *arena, size_t size)
    __attribute__((returns_nonnull, malloc, alloc_size(2)));

/* Copies; the copy of `len` bytes gets a terminating NUL. arena_strdup_null(NULL) is NULL. */
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strdup_null(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
void *arena_memdup(struct arena *arena, const void *p, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) _printf_(2, 3);

/* Grows an array that lives in the arena: returns room for at least `count + 1` elements, moved
 * when it was full. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity,
		 size_t item_size);
