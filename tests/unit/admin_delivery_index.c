#include "gateway/delivery_index.h"
#include "unit.h"

#include <stdio.h>

static const char *const subscribed[] = { EVENT_TYPE_CREDENTIAL_ISSUED };

enum { BYTES_MAX = 4096 };

static struct uuid uuid_of(uint32_t n) {
	return (struct uuid){ { (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0, 0x80, 0,
				0x80 } };
}

struct world {
	struct codec *codec;
	struct delivery_index *index;
	struct arena *arena;
};

static int set_up(void **state) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(BYTES_MAX);
	struct world *world = x_calloc(1, sizeof(*world));

	if (codec_new(NULL, &world->codec, &problems))
		return -1;
	world->index = delivery_index_new(world->codec);
	world->arena = arena_new();
	*state = world;
	return 0;
}

static int tear_down(void **state) {
	struct world *world = *state;

	delivery_index_free(world->index);
	codec_free(world->codec);
	arena_free(world->arena);
	free(world);
	return 0;
}

static void apply(struct world *world, const struct state_record *state, bool is_tombstone) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(BYTES_MAX);
	const struct state_key key = state_record_key(state);
	const char *text;

	arena_reset(world->arena);
	text = state_key_format(world->arena, &key);
	codec_encode_state(world->codec, state, &value);
	delivery_index_apply(world->index,
			     &(struct record){ .key = text,
					       .key_len = strlen(text),
					       .value = is_tombstone ? NULL : value.data,
					       .len = is_tombstone ? 0 : value.len });
}

static void webhook(struct world *world, const char *tenant, uint32_t id, bool exists,
		    int64_t failing_since_ms) {
	apply(world,
	      &(struct state_record){ .kind = STATE_WEBHOOK,
				      .webhook = { .id = uuid_of(id),
						   .tenant_id = tenant,
						   .events = subscribed,
						   .event_count = 1,
						   .url = "https://example.com/",
						   .failing_since_ms = failing_since_ms } },
	      !exists);
}

static struct state_record delivery(const char *tenant, uint32_t webhook, uint32_t id,
				    enum delivery_status status, int64_t created_at_ms) {
	return (struct state_record){ .kind = STATE_DELIVERY,
				      .delivery = { .id = uuid_of(id),
						    .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
						    .webhook_id = uuid_of(webhook),
						    .tenant_id = tenant,
						    .command_id = "c",
						    .body = "{}",
						    .body_len = 2,
						    .status = status,
						    .attempts = 2,
						    .last_status = 503,
						    .last_reason = "status-503",
						    .created_at_ms = created_at_ms } };
}

static void put(struct world *world, const char *tenant, uint32_t webhook, uint32_t id,
		enum delivery_status status, int64_t created_at_ms) {
	const struct state_record record = delivery(tenant, webhook, id, status, created_at_ms);

	apply(world, &record, false);
}

static void end(struct world *world, uint32_t id) {
	const struct state_record record = delivery("t", 1, id, DELIVERY_PENDING, 0);

	apply(world, &record, true);
}

/* The question: the tenant's webhook, a status (-1: any), a limit, the entry before the first. The
 * text is kept in the arena; NULL: not found. */
static const char *ask(struct world *world, const char *tenant, uint32_t webhook, int status,
		       size_t limit, struct cursor after) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(DELIVERY_PAGE_BYTES_MAX);
	const struct delivery_query query = { .tenant_id = tenant,
					      .webhook_id = uuid_of(webhook),
					      .has_status = status >= 0,
					      .status =
						  status >= 0 ? (enum delivery_status)status : 0,
					      .limit = limit,
					      .after = after };

	if (delivery_index_query(world->index, world->arena, &query, &out))
		return NULL;
	return arena_strndup(world->arena, out.data, out.len);
}

static const struct cursor from_the_first;

/* Whether the answer lists exactly these, in this order (ids below 256, 0 at the end), and ends so.
 */
static void assert_lists(const char *answer, const uint8_t *ids, const char *tail) {
	const char *at = answer;

	assert_non_null(answer);
	for (; *ids; ids++) {
		char id[32];

		snprintf(id, sizeof(id), "{\"id\":\"0000%02x00-", *ids);
		at = strstr(at, "{\"id\":\"");
		assert_non_null(at);
		assert_memory_equal(at, id, strlen(id));
		at++;
	}
	assert_null(strstr(at, "{\"id\":\""));
	assert_string_equal(answer + strlen(answer) - strlen(tail), tail);
}

static void deliveries_are_ordered_and_counted_by_status(void **state) {
	struct world *world = *state;

	put(world, "t", 1, 5, DELIVERY_PENDING,
	    30); /* compaction may have put it before its webhook */
	webhook(world, "t", 1, true, 0);
	put(world, "t", 1, 4, DELIVERY_PENDING, 10);
	put(world, "t", 1, 3, DELIVERY_DEAD, 30);
	put(world, "t", 2, 9, DELIVERY_DEAD, 1);
	assert_lists(ask(world, "t", 1, -1, 10, from_the_first), (uint8_t[]){ 4, 3, 5, 0 },
		     "}],\"pending\":2,\"dead\":1,\"failingSince\":null,\"complete\":true}");
	assert_lists(ask(world, "t", 1, DELIVERY_DEAD, 10, from_the_first), (uint8_t[]){ 3, 0 },
		     "\"pending\":2,\"dead\":1,\"failingSince\":null,\"complete\":true}");
	assert_non_null(strstr(ask(world, "t", 1, -1, 1, from_the_first), "\"nextCursor\":\""));
	assert_lists(ask(world, "t", 1, -1, 10, (struct cursor){ 10, uuid_of(4) }),
		     (uint8_t[]){ 3, 5, 0 }, "true}");
	put(world, "t", 1, 4, DELIVERY_DEAD, 10);
	end(world, 5);
	webhook(world, "t", 1, true, 86400000);
	assert_lists(ask(world, "t", 1, -1, 10, from_the_first), (uint8_t[]){ 4, 3, 0 },
		     "\"pending\":0,\"dead\":2,\"failingSince\":\"1970-01-02T00:00:00.000Z\","
		     "\"complete\":true}");
}

static void a_webhook_of_another_tenant_has_no_deliveries(void **state) {
	struct world *world = *state;

	webhook(world, "t", 1, true, 0);
	put(world, "t", 1, 5, DELIVERY_PENDING, 30);
	assert_null(ask(world, "other", 1, -1, 10, from_the_first));
	assert_null(ask(world, "t", 2, -1, 10, from_the_first));
	webhook(world, "t", 1, false, 0);
	assert_null(ask(world, "t", 1, -1, 10, from_the_first));
	end(world, 5);
	assert_null(ask(world, "t", 1, -1, 10, from_the_first));
}

/* Another tenant's are all there. */
static void a_tenant_beyond_its_bound_loses_its_own(void **state) {
	struct world *world = *state;

	webhook(world, "t", 1, true, 0);
	webhook(world, "other", 2, true, 0);
	for (uint32_t id = 1; id <= DELIVERY_INDEX_TENANT_MAX + 1; id++)
		put(world, "t", 1, id, DELIVERY_PENDING, id);
	put(world, "other", 2, 0xfffff, DELIVERY_DEAD, 1);
	assert_lists(ask(world, "t", 1, DELIVERY_DEAD, 1, from_the_first), (uint8_t[]){ 0 },
		     "\"pending\":50000,\"dead\":0,\"failingSince\":null,\"complete\":false}");
	assert_non_null(strstr(ask(world, "other", 2, -1, 1, from_the_first),
			       "\"dead\":1,\"failingSince\":null,\"complete\":true}"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deliveries_are_ordered_and_counted_by_status,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_webhook_of_another_tenant_has_no_deliveries,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tenant_beyond_its_bound_loses_its_own, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
