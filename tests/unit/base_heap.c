#include "base/heap.h"
#include "base/memory.h"
#include "unit.h"

enum { NODES = 500 };

/* Keys that come again and again in no order: a linear congruence, the same in each run. */
static int64_t next_key(uint32_t *seed) {
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 24;
}

/* Takes all out and returns how many there were; each is due no earlier than the one before. */
static size_t drain(struct heap *heap) {
	int64_t last = INT64_MIN;
	struct heap_node *node;
	size_t count = 0;

	for (; (node = heap_first(heap)); count++) {
		assert_true(node->key >= last);
		last = node->key;
		heap_remove(heap, node);
		assert_int_equal(node->index, 0);
	}
	return count;
}

static void the_smallest_comes_first(void **state _unused_) {
	_cleanup_(heap_destroy) struct heap heap = { 0 };
	struct heap_node nodes[NODES] = { 0 };
	uint32_t seed = 1;

	assert_null(heap_first(&heap));
	for (size_t i = 0; i < NODES; i++)
		heap_set(&heap, &nodes[i], next_key(&seed));
	assert_int_equal(drain(&heap), NODES);
	assert_null(heap_first(&heap));
}

static void nodes_are_moved_and_removed(void **state _unused_) {
	_cleanup_(heap_destroy) struct heap heap = { 0 };
	struct heap_node nodes[NODES] = { 0 };
	uint32_t seed = 2;

	for (size_t i = 0; i < NODES; i++)
		heap_set(&heap, &nodes[i], next_key(&seed));
	for (size_t i = 0; i < NODES; i += 2)
		heap_set(&heap, &nodes[i], next_key(&seed));
	for (size_t i = 0; i < NODES; i += 5) {
		heap_remove(&heap, &nodes[i]);
		heap_remove(&heap, &nodes[i]);
	}
	assert_int_equal(drain(&heap), NODES - NODES / 5);
}

static void extreme_keys_keep_their_order(void **state _unused_) {
	_cleanup_(heap_destroy) struct heap heap = { 0 };
	struct heap_node last = { 0 }, first = { 0 };

	heap_set(&heap, &last, INT64_MAX);
	heap_set(&heap, &first, INT64_MIN);
	assert_ptr_equal(heap_first(&heap), &first);
	heap_set(&heap, &first, INT64_MAX);
	heap_set(&heap, &last, 0);
	assert_ptr_equal(heap_first(&heap), &last);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_comes_first),
		cmocka_unit_test(nodes_are_moved_and_removed),
		cmocka_unit_test(extreme_keys_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
