/* The workers' event.types, as a gateway sees them in the positions of the changelog. */
#include "domain/state.h"
#include "gateway/catalogue_watch.h"
#include "unit.h"

enum { BYTES_MAX = 4096 };

static char first[] = "DegreeRevoked", second[] = "degree.renewed";
static char *types[] = { first, second };
static char *reversed[] = { second, first };
static const struct event_catalogue ours = { types, 2 }, same = { reversed, 2 },
				    theirs = { types, 1 }, none = { NULL, 0 };

struct world {
	struct codec *codec;
	struct catalogue_watch *watch;
};

static int set_up(void **state) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(BYTES_MAX);
	struct world *world = x_calloc(1, sizeof(*world));

	if (codec_new(NULL, &world->codec, &problems))
		return -1;
	world->watch = catalogue_watch_new(world->codec, ours);
	*state = world;
	return 0;
}

static int tear_down(void **state) {
	struct world *world = *state;

	catalogue_watch_free(world->watch);
	codec_free(world->codec);
	free(world);
	return 0;
}

static void apply(struct world *world, int32_t partition, const char *key,
		  const struct state_record *state) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(BYTES_MAX);

	codec_encode_state(world->codec, state, &value);
	catalogue_watch_apply(world->watch, &(struct record){ .partition = partition,
							      .key = key,
							      .key_len = strlen(key),
							      .value = value.data,
							      .len = value.len });
}

static int count_after(struct world *world, int32_t partition, struct event_catalogue catalogue) {
	apply(
	    world, partition, "position",
	    &(struct state_record){ .kind = STATE_POSITION,
				    .position = { .member_id = "worker-1",
						  .catalogue = event_catalogue_hash(catalogue) } });
	return catalogue_watch_count(world->watch);
}

static void each_partition_counts_once(void **state) {
	struct world *world = *state;

	assert_int_equal(count_after(world, 3, ours), 0);
	assert_int_equal(count_after(world, 3, same), 0);
	assert_int_equal(count_after(world, 3, theirs), 1);
	assert_int_equal(count_after(world, 3, theirs), 1);
	assert_int_equal(count_after(world, 0, theirs), 2);
	assert_int_equal(count_after(world, 9, theirs), 3);
	/* None: a worker of the release before, or one that has told nothing yet. */
	assert_int_equal(count_after(world, 3, none), 3);
	assert_int_equal(count_after(world, 3, ours), 2);
	catalogue_watch_tell(world->watch);
	catalogue_watch_tell(world->watch);
	assert_int_equal(catalogue_watch_count(world->watch), 2);
}

static void other_records_tell_nothing(void **state) {
	struct world *world = *state;
	const struct state_record key = { .kind = STATE_SIGNING_KEY,
					  .signing_key = { "t", "kid", { 0 }, "m", 1, 1, 0 } };

	apply(world, 0, "key/t/kid", &key);
	apply(world, 0, "position", &key);
	catalogue_watch_apply(world->watch, &(struct record){ .key = "position", .key_len = 8 });
	catalogue_watch_apply(
	    world->watch,
	    &(struct record){ .key = "position", .key_len = 8, .value = "x", .len = 1 });
	assert_int_equal(catalogue_watch_count(world->watch), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_partition_counts_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_records_tell_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
