#include "base/arena.h"
#include "unit.h"

static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096, 16384, 16385, 65536, 1 << 20 };

static void allocations_do_not_overlap(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	unsigned char *blocks[20 * ARRAY_LEN(sizes)];

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		blocks[i] = arena_alloc(arena, sizes[i % ARRAY_LEN(sizes)]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		memset(blocks[i], (int)i, sizes[i % ARRAY_LEN(sizes)]);
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		for (size_t j = 0; j < sizes[i % ARRAY_LEN(sizes)]; j++) {
			if (blocks[i][j] != (unsigned char)i)
				fail_msg("byte %zu of allocation %zu was overwritten", j, i);
		}
	}
}

static void a_reset_arena_is_used_again(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++)
			memset(arena_alloc(arena, 5000), round, 5000);
		memset(arena_alloc(arena, 1 << 20), round, 1 << 20);
		arena_reset(arena);
	}
	assert_int_equal(*(char *)arena_zalloc(arena, 64), 0);
}

static void copies_end_with_a_nul(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	assert_string_equal(arena_strdup(arena, "text"), "text");
	assert_string_equal(arena_strndup(arena, "text", 2), "te");
	assert_string_equal(arena_strndup(arena, NULL, 0), "");
	assert_null(arena_strdup_null(arena, NULL));
	assert_string_equal(arena_strdup_null(arena, "text"), "text");
	assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
	assert_string_equal(arena_printf(arena, "%s/%d", "a", 7), "a/7");
}

static void a_growing_array_keeps_its_items(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	size_t capacity = 0, *items = NULL;

	for (size_t count = 0; count < 10000; count++) {
		items = arena_grow(arena, items, count, &capacity, sizeof(*items));
		assert_true(capacity > count);
		items[count] = count;
	}
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(items[i], i);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_do_not_overlap),
		cmocka_unit_test(a_reset_arena_is_used_again),
		cmocka_unit_test(copies_end_with_a_nul),
		cmocka_unit_test(a_growing_array_keeps_its_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
