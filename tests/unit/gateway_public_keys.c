/* The JWKS that is answered: whole or not at all, and that of the moment. */
#include "gateway/public_keys.h"
#include "unit.h"

#include <jansson.h>

enum { BYTES_MAX = 4096 };

struct world {
	struct codec *codec;
	struct public_keys *keys;
	struct arena *arena;
};

static int set_up(void **state) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(BYTES_MAX);
	struct world *world = x_calloc(1, sizeof(*world));

	if (codec_new(NULL, &world->codec, &problems))
		return -1;
	world->keys = public_keys_new(world->codec);
	world->arena = arena_new();
	*state = world;
	return 0;
}

static int tear_down(void **state) {
	struct world *world = *state;

	public_keys_free(world->keys);
	codec_free(world->codec);
	arena_free(world->arena);
	free(world);
	return 0;
}

/* `count` keys of the tenant, from `first` on. */
static void put(struct world *world, const char *tenant_id, int first, int count,
		int64_t expires_at_ms) {
	for (int n = first; n < first + count; n++) {
		_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(BYTES_MAX);
		char kid[44];
		struct state_record record = { .kind = STATE_SIGNING_KEY,
					       .signing_key = { .tenant_id = tenant_id,
								.kid = kid,
								.master_key_id = "m",
								.epoch = n,
								.expires_at_ms = expires_at_ms } };
		struct state_key key;
		const char *text;

		snprintf(kid, sizeof(kid), "%043d", n);
		key = state_record_key(&record);
		arena_reset(world->arena);
		text = state_key_format(world->arena, &key);
		codec_encode_state(world->codec, &record, &value);
		public_keys_apply(world->keys, &(struct record){ .key = text,
								 .key_len = strlen(text),
								 .value = value.data,
								 .len = value.len });
	}
}

static size_t count_keys(const struct public_key_set *set) {
	json_t *json = json_loadb(set->text, set->len, 0, NULL);
	size_t count = json_array_size(json_object_get(json, "keys"));

	assert_non_null(json);
	json_decref(json);
	return count;
}

static size_t count_at(struct world *world, const char *tenant_id, int64_t now_ms) {
	struct public_key_set set;

	assert_int_equal(public_keys_get(world->keys, world->arena, tenant_id, now_ms, &set), 0);
	return count_keys(&set);
}

static void keys_are_those_of_the_moment(void **state) {
	struct public_key_set first, second;
	struct world *world = *state;

	assert_int_equal(count_at(world, "t", 0), 0);
	put(world, "t", 1, 1, 100);
	assert_int_equal(public_keys_get(world->keys, world->arena, "t", 0, &first), 0);
	put(world, "t", 2, 1, 0);
	put(world, "u", 1, 1, 0);
	assert_int_equal(public_keys_get(world->keys, world->arena, "t", 0, &second), 0);
	assert_int_equal(count_keys(&second), 2);
	assert_string_not_equal(first.etag, second.etag);
	assert_int_equal(count_at(world, "t", 99), 2);
	assert_int_equal(count_at(world, "t", 100), 1);
}

/* More than a mebibyte, which was cut once. */
static void many_keys_are_served_whole(void **state) {
	struct world *world = *state;

	put(world, "t", 1, 8000, 0);
	assert_int_equal(count_at(world, "t", 0), 8000);
}

static void too_many_keys_are_an_error(void **state) {
	struct public_key_set set;
	struct world *world = *state;

	put(world, "t", 1, 60000, 0);
	assert_int_equal(public_keys_get(world->keys, world->arena, "t", 0, &set),
			 PUBLIC_KEYS_E_TOO_LARGE);
	put(world, "t", 1, 59999, 100);
	assert_int_equal(count_at(world, "t", 100), 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = { TEST(keys_are_those_of_the_moment),
					    TEST(many_keys_are_served_whole),
					    TEST(too_many_keys_are_an_error) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
