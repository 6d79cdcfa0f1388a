/* The bytes that released versions have written: they are read for ever, and what is read has lost
 * nothing. Made by tests/vectors/make_released.py. */
#include "avro/codec.h"
#include "base/arena.h"
#include "unit.h"

#include <stdio.h>

enum { LINE_SIZE = 1024 * 1024 };

struct world {
	struct codec *codec;
	struct arena *arena;
	char *line;
};

static int setup(void **state) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	static struct world world;

	world = (struct world){ .arena = arena_new(), .line = x_malloc(LINE_SIZE) };
	*state = &world;
	return codec_new(NULL, &world.codec, &problems);
}

static int teardown(void **state) {
	struct world *world = *state;

	codec_free(world->codec);
	arena_free(world->arena);
	free(world->line);
	return 0;
}

static size_t from_hex(const char *hex, uint8_t *out) {
	size_t len = strspn(hex, "0123456789abcdef") / 2;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	return len;
}

typedef void (*check_fn)(struct world *world, const char *key, const uint8_t *value, size_t len);

/* Calls `check` for each record of the file that is no tombstone. */
static void each_record(struct world *world, const char *file, check_fn check) {
	_cleanup_(x_freep) char *path = x_asprintf("%s/released-0.1.0/%s", VECTORS_DIR, file);
	FILE *in = fopen(path, "re");
	size_t count = 0;

	assert_non_null(in);
	while (fgets(world->line, LINE_SIZE, in)) {
		char *key_hex = strchr(world->line, ' ') + 1, *value_hex = strchr(key_hex, ' ') + 1;
		uint8_t *value = x_malloc(strlen(value_hex));
		uint8_t key[1024] = { 0 };

		from_hex(key_hex, key);
		if (*value_hex != '-') {
			check(world, (const char *)key, value, from_hex(value_hex, value));
			count++;
		}
		free(value);
		arena_reset(world->arena);
	}
	fclose(in);
	assert_true(count > 10);
}

static void assert_same(const struct buffer *again, const uint8_t *value, size_t len) {
	assert_int_equal(again->len, len);
	assert_memory_equal(again->data, value, len);
}

static void check_state(struct world *world, const char *key, const uint8_t *value, size_t len) {
	_cleanup_(buffer_destroy) struct buffer again = BUFFER_INIT(LINE_SIZE);
	struct state_record record;
	struct state_key of_record, parsed;
	const char *why = "";

	if (codec_decode_state(world->codec, world->arena, value, len, &record, &why))
		fail_msg("%s: %s", key, why);
	assert_int_equal(state_key_parse(world->arena, key, strlen(key), &parsed), 0);
	of_record = state_record_key(&record);
	assert_string_equal(state_key_format(world->arena, &of_record), key);
	codec_encode_state(world->codec, &record, &again);
	assert_same(&again, value, len);
}

static void check_event(struct world *world, const char *key, const uint8_t *value, size_t len) {
	_cleanup_(buffer_destroy) struct buffer again = BUFFER_INIT(LINE_SIZE);
	struct analytic_event event;
	const char *why = "";

	if (codec_decode_event(world->codec, world->arena, value, len, &event, &why))
		fail_msg("%s: %s", key, why);
	assert_string_equal(event.tenant_id, key);
	codec_encode_event(world->codec, &event, &again);
	assert_same(&again, value, len);
}

static void the_changelog_of_a_release_is_read(void **state) {
	each_record(*state, "state", check_state);
}

static void the_results_of_a_release_are_read(void **state) {
	each_record(*state, "results", check_event);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_changelog_of_a_release_is_read),
		cmocka_unit_test(the_results_of_a_release_are_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
