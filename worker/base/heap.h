/* A binary min-heap, intrusive: an owner embeds a heap_node, and can be moved or removed at any
 * time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t key;  /* the smallest comes first */
	size_t index; /* 1-based place in the heap; 0: not in it */
};

struct heap {
	struct heap_node **nodes; /* owned array of borrowed nodes; [0] is unused */
	size_t count, capacity;
};

void heap_destroy(struct heap *heap);

/* The node with the smallest key, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

/* Inserts the node at `key`, or moves it there. */
void heap_set(struct heap *heap, struct heap_node *node, int64_t key);

/* Whether the node is in a heap. */
static inline bool heap_has(const struct heap_node *node) {
	return node->index > 0;
}

/* Removes the node; does nothing when it is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);
