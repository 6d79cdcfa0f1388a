#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

/* AddressSanitizer sees a block as one allocation. The arena marks the pieces inside it. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_GUARDED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_GUARDED 1
#endif
#endif

#ifdef IS_GUARDED
#include <sanitizer/asan_interface.h>
#else
#define IS_GUARDED 0
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* GAP: under AddressSanitizer at least one unusable byte follows each piece, to catch overruns. */
enum { BLOCK_SIZE = 64 * 1024, ALIGNMENT = _Alignof(max_align_t), GAP = IS_GUARDED };

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) char data[];
};

/* The head block is the one being filled. A large request gets a block of its own, linked behind
 * the head. */
struct arena {
	struct block *head;
};

static struct block *block_new(size_t size) {
	struct block *block = x_malloc(sizeof(*block) + size);

	*block = (struct block){ .size = size };
	ASAN_POISON_MEMORY_REGION(block->data, size);
	return block;
}

struct arena *arena_new(void) {
	struct arena *arena = x_calloc(1, sizeof(*arena));

	arena->head = block_new(BLOCK_SIZE);
	return arena;
}

void arena_reset(struct arena *arena) {
	struct block *keep = arena->head, *next;

	for (struct block *block = keep->next; block; block = next) {
		next = block->next;
		free(block);
	}
	keep->next = NULL;
	keep->used = 0;
	ASAN_POISON_MEMORY_REGION(keep->data, keep->size);
}

void arena_free(struct arena *arena) {
	if (!arena)
		return;
	arena_reset(arena);
	free(arena->head);
	free(arena);
}

static void *take_room(struct arena *arena, size_t need) {
	struct block *head = arena->head;

	if (need > BLOCK_SIZE / 4) {
		struct block *own = block_new(need);

		own->used = need;
		own->next = head->next;
		head->next = own;
		return own->data;
	}
	if (head->size - head->used < need) {
		struct block *fresh = block_new(BLOCK_SIZE);

		fresh->next = head;
		arena->head = head = fresh;
	}
	head->used += need;
	return head->data + head->used - need;
}

void *arena_alloc(struct arena *arena, size_t size) {
	void *piece = take_room(arena, (size + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);

	ASAN_UNPOISON_MEMORY_REGION(piece, size);
	return piece;
}

void *arena_zalloc(struct arena *arena, size_t size) {
	return memset(arena_alloc(arena, size), 0, size);
}

void *arena_memdup(struct arena *arena, const void *p, size_t len) {
	void *copy = arena_alloc(arena, len);

	if (len)
		memcpy(copy, p, len);
	return copy;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len) {
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s) {
	return arena_strndup(arena, s, strlen(s));
}

char *arena_strdup_null(struct arena *arena, const char *s) {
	return s ? arena_strdup(arena, s) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
	va_list args, again;
	int len;
	char *s;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		out_of_memory();
	s = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(s, (size_t)len + 1, format, again);
	va_end(again);
	return s;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity,
		 size_t item_size) {
	void *grown;

	if (count < *capacity)
		return items;
	*capacity = *capacity ? *capacity * 2 : 8;
	grown = arena_alloc(arena, *capacity * item_size);
	if (count)
		memcpy(grown, items, count * item_size);
	return grown;
}
