/* Cursors: round trips, and texts that are no cursor. */
#include "base/buffer.h"
#include "domain/cursor.h"
#include "unit.h"

#define ID "0f8fad5b-d9cb-469f-a165-70867728950e"
#define TIME "2026-01-31T12:00:00.123Z"

static const int64_t time_ms = 1769860800123;

/* The cursor whose plain text this is. */
static char *cursor_of(struct arena *arena, const char *plain) {
	struct buffer text = BUFFER_INIT(4096);
	char *out;

	buffer_append_base64url(&text, plain, strlen(plain));
	out = arena_strndup(arena, text.data, text.len);
	buffer_destroy(&text);
	return out;
}

static void formats_as_the_interface_says(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct cursor cursor = { .created_at_ms = time_ms };

	assert_int_equal(uuid_parse(ID, &cursor.id), 0);
	assert_string_equal(cursor_format(arena, &cursor),
			    cursor_of(arena, "createdAt=2026-01-31T12%3A00%3A00.123Z&id=" ID));
}

static void comes_back_as_it_went(void **state _unused_) {
	static const int64_t times[] = {
		0, 1, 999, time_ms, 951782400000, 4102444799999, 253402300799999, -1
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct cursor cursor = { .created_at_ms = times[i], .id = { { (uint8_t)i, 255 } } },
			      read;

		assert_int_equal(cursor_parse(cursor_format(arena, &cursor), &read), 0);
		assert_int_equal(read.created_at_ms, times[i]);
		assert_int_equal(uuid_compare(&read.id, &cursor.id), 0);
	}
}

static void takes_what_people_write(void **state _unused_) {
	static const char *const plain[] = {
		"createdAt=2026-01-31T12%3A00%3A00.123Z&id=" ID,
		"createdAt=2026-01-31T12%3a00%3a00.123Z&id=" ID,
		"createdAt=" TIME "&id=" ID,
		"createdAt=2026-01-31T12:00%3A00.123Z&id=" ID,
		"createdAt=" TIME "&id=0F8FAD5B-D9CB-469F-A165-70867728950E",
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct uuid id;

	assert_int_equal(uuid_parse(ID, &id), 0);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		struct cursor read;

		if (cursor_parse(cursor_of(arena, plain[i]), &read))
			fail_msg("%s: refused", plain[i]);
		assert_int_equal(read.created_at_ms, time_ms);
		assert_int_equal(uuid_compare(&read.id, &id), 0);
	}
}

static void refuses_other_plain_text(void **state _unused_) {
	static const char *const plain[] = {
		"",
		"x",
		"createdAt=" TIME,
		"id=" ID,
		"id=" ID "&createdAt=" TIME,
		"createdAt=&id=" ID,
		"createdAt=" TIME "&id=",
		"createdAt=" TIME "&id=1",
		"createdAt=" TIME "&id=" ID "&x=y",
		"createdAt=" TIME "&id=" ID "0",
		"createdAt=" TIME " &id=" ID,
		" createdAt=" TIME "&id=" ID,
		"createdat=" TIME "&id=" ID,
		"createdAt=yesterday&id=" ID,
		"createdAt=2026-01-31T12:00:00Z&id=" ID,
		"createdAt=2026-01-31T12:00:00.123+01:00&id=" ID,
		"createdAt=2026-02-30T12:00:00.123Z&id=" ID,
		"createdAt=2026-01-31T25:00:00.123Z&id=" ID,
		"createdAt=%32026-01-31T12:00:00.123Z&id=" ID,
		"createdAt=" TIME "%26id=" ID,
		"createdAt=" TIME "&id={" ID "}",
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		struct cursor read;

		if (cursor_parse(cursor_of(arena, plain[i]), &read) != CURSOR_E_REFUSED)
			fail_msg("\"%s\": accepted", plain[i]);
	}
}

static void refuses_other_encodings(void **state _unused_) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	char *good = cursor_of(arena, "createdAt=" TIME "&id=" ID),
	     *huge = arena_alloc(arena, 100001);
	const char *texts[] = {
		"***",
		arena_printf(arena, "%s=", good),
		arena_printf(arena, "%s\n", good),
		arena_printf(arena, " %s", good),
		arena_printf(arena, "%s%s", good, good),
		arena_strndup(arena, good, strlen(good) - 1),
		huge,
	};
	struct cursor read;

	memset(huge, 'A', 100000);
	huge[100000] = '\0';
	assert_int_equal(cursor_parse(good, &read), 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (cursor_parse(texts[i], &read) != CURSOR_E_REFUSED)
			fail_msg("row %zu: accepted", i);
}

static void refuses_a_hidden_tail(void **state _unused_) {
	static const char plain[] = "createdAt=" TIME "&id=" ID "\0&more";
	struct buffer text = BUFFER_INIT(4096);
	struct cursor read;

	buffer_append_base64url(&text, plain, sizeof(plain) - 1);
	assert_int_equal(cursor_parse(text.data, &read), CURSOR_E_REFUSED);
	buffer_destroy(&text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_the_interface_says),
		cmocka_unit_test(comes_back_as_it_went),
		cmocka_unit_test(takes_what_people_write),
		cmocka_unit_test(refuses_other_plain_text),
		cmocka_unit_test(refuses_other_encodings),
		cmocka_unit_test(refuses_a_hidden_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
