#include "base/heap.h"

#include "base/memory.h"

void heap_destroy(struct heap *heap) {
	free(heap->nodes);
	*heap = (struct heap){ 0 };
}

struct heap_node *heap_first(const struct heap *heap) {
	return heap->count ? heap->nodes[1] : NULL;
}

static void place(struct heap *heap, struct heap_node *node, size_t index) {
	heap->nodes[index] = node;
	node->index = index;
}

static void sift_up(struct heap *heap, struct heap_node *node, size_t index) {
	for (; index > 1 && heap->nodes[index / 2]->key > node->key; index /= 2)
		place(heap, heap->nodes[index / 2], index);
	place(heap, node, index);
}

static void sift_down(struct heap *heap, struct heap_node *node, size_t index) {
	for (size_t child; (child = index * 2) <= heap->count; index = child) {
		if (child < heap->count && heap->nodes[child + 1]->key < heap->nodes[child]->key)
			child++;
		if (heap->nodes[child]->key >= node->key)
			break;
		place(heap, heap->nodes[child], index);
	}
	place(heap, node, index);
}

static void settle(struct heap *heap, struct heap_node *node, size_t index) {
	if (index > 1 && heap->nodes[index / 2]->key > node->key)
		sift_up(heap, node, index);
	else
		sift_down(heap, node, index);
}

void heap_set(struct heap *heap, struct heap_node *node, int64_t key) {
	node->key = key;
	if (!node->index) {
		if (heap->count + 1 >= heap->capacity) {
			heap->capacity = heap->capacity ? heap->capacity * 2 : 64;
			heap->nodes = x_realloc(heap->nodes, heap->capacity * sizeof(*heap->nodes));
		}
		place(heap, node, ++heap->count);
	}
	settle(heap, node, node->index);
}

void heap_remove(struct heap *heap, struct heap_node *node) {
	size_t index = node->index;
	struct heap_node *last;

	if (!index)
		return;
	last = heap->nodes[heap->count--];
	node->index = 0;
	if (last != node)
		settle(heap, last, index);
}
