#include "changelog/delivery_list.h"
#include "unit.h"

#include <stdio.h>

enum { ALL_STATUSES = -1 };

static struct uuid uuid_of(uint8_t n) {
	return (struct uuid){ { n, 0, 0, 0, 0, 0, 0x80, 0, 0x80 } };
}

/* The records of the changelog, in order. */
static const struct {
	uint8_t id, webhook;
	const char *tenant; /* NULL: a tombstone */
	enum delivery_status status;
	int64_t created_at_ms;
} records[] = {
	{ 5, 1, "t", DELIVERY_PENDING, 30 },     { 4, 1, "t", DELIVERY_PENDING, 10 },
	{ 9, 9, "other", DELIVERY_PENDING, 10 }, { 3, 2, "t", DELIVERY_PENDING, 30 },
	{ 2, 2, "t", DELIVERY_PENDING, 20 },     { 2, 2, "t", DELIVERY_DEAD, 20 },
	{ 8, 1, "t", DELIVERY_DEAD, 5 },         { 8, 1, NULL, DELIVERY_DEAD, 0 },
	{ 7, 7, NULL, DELIVERY_DEAD, 0 },
};

static const char body[] = "{\"event\":1}";

static char *key_of(uint8_t id) {
	const struct uuid uuid = uuid_of(id);
	char text[UUID_TEXT_SIZE];

	uuid_format(&uuid, text);
	return x_asprintf("delivery/%s", text);
}

static void put(struct state_fold *fold, struct delivery_list *list, const char *key,
		const struct buffer *value) {
	struct record record = { .key = key,
				 .key_len = strlen(key),
				 .value = value ? value->data : NULL,
				 .len = value ? value->len : 0 };

	if (value && !delivery_list_wants(list, &record))
		record.value = NULL;
	state_fold_apply(fold, &(struct state_fold_key){ 0, key, strlen(key) }, record.value,
			 record.len);
}

static void put_all(struct state_fold *fold, struct delivery_list *list, struct codec *codec) {
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(4096);
		_cleanup_(x_freep) char *key = key_of(records[i].id);
		struct state_record state = { .kind = STATE_DELIVERY,
					      .delivery = {
						  .event_type = EVENT_TYPE_CREDENTIAL_ISSUED,
						  .id = uuid_of(records[i].id),
						  .webhook_id = uuid_of(records[i].webhook),
						  .tenant_id = records[i].tenant,
						  .command_id = "c",
						  .body = body,
						  .body_len = strlen(body),
						  .status = records[i].status,
						  .created_at_ms = records[i].created_at_ms } };

		if (records[i].tenant)
			codec_encode_state(codec, &state, &value);
		put(fold, list, key, records[i].tenant ? &value : NULL);
	}
}

static const struct {
	const char *name;
	const char *tenant;
	uint8_t webhook; /* 0: any */
	int status;
	const char *found; /* first bytes of the ids, in order */
} rows[] = {
	{ "all, in the order of creation and then id", "t", 0, ALL_STATUSES, "4235" },
	{ "pending, but not what died since", "t", 0, DELIVERY_PENDING, "435" },
	{ "dead, also where it was pending before", "t", 0, DELIVERY_DEAD, "2" },
	{ "of a webhook", "t", 2, ALL_STATUSES, "23" },
	{ "of a webhook, by status", "t", 1, DELIVERY_DEAD, "" },
	{ "another tenant's webhook", "t", 9, ALL_STATUSES, "" },
	{ "another tenant", "other", 0, ALL_STATUSES, "9" },
	{ "nobody", "nobody", 0, ALL_STATUSES, "" },
};

static struct codec *codec_of_test(void) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
	struct codec *codec;

	assert_int_equal(codec_new(NULL, &codec, &problems), 0);
	return codec;
}

static void a_filter_finds_its_deliveries(void **state _unused_) {
	_cleanup_(codec_freep) struct codec *codec = codec_of_test();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct uuid webhook_id = uuid_of(rows[i].webhook);
		const struct delivery_filter filter = {
			.tenant_id = rows[i].tenant,
			.webhook_id = rows[i].webhook ? &webhook_id : NULL,
			.has_status = rows[i].status != ALL_STATUSES,
			.status = (enum delivery_status)MAX(rows[i].status, 0)
		};
		_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
		_cleanup_(delivery_list_freep) struct delivery_list *list =
		    delivery_list_new(&filter, codec);
		char found[16] = "";

		put_all(fold, list, codec);
		delivery_list_sort(list, fold);
		for (size_t k = 0; k < delivery_list_count(list); k++)
			found[k] = (char)('0' + delivery_list_get(list, k).id.bytes[0]);
		if (strcmp(found, rows[i].found) != 0)
			fail_msg("%s: %s", rows[i].name, found);
		assert_int_equal(delivery_list_unreadable(list), 0);
	}
}

static void bodies_are_listed_when_asked_for(void **state _unused_) {
	_cleanup_(codec_freep) struct codec *codec = codec_of_test();

	for (int with_body = 0; with_body <= 1; with_body++) {
		const struct delivery_filter filter = { .tenant_id = "t", .with_body = with_body };
		_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
		_cleanup_(delivery_list_freep) struct delivery_list *list =
		    delivery_list_new(&filter, codec);

		put_all(fold, list, codec);
		delivery_list_sort(list, fold);
		assert_int_equal(delivery_list_count(list), 4);
		assert_string_equal(delivery_list_get(list, 0).body, with_body ? body : "");
		assert_int_equal(delivery_list_get(list, 0).created_at_ms, 10);
	}
}

/* A record that was overwritten or deleted since does not count. */
static void an_unreadable_record_counts_while_it_is_current(void **state _unused_) {
	_cleanup_(codec_freep) struct codec *codec = codec_of_test();
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	_cleanup_(delivery_list_freep) struct delivery_list *list =
	    delivery_list_new(&(struct delivery_filter){ .tenant_id = "t" }, codec);
	_cleanup_(x_freep) char *overwritten = key_of(4), *others = key_of(9), *deleted = key_of(7),
				*left = key_of(6);
	_cleanup_(buffer_destroy) struct buffer nonsense = BUFFER_INIT(16);

	buffer_append_string(&nonsense, "nonsense");
	put(fold, list, overwritten, &nonsense);
	put(fold, list, others, &nonsense);
	put(fold, list, deleted, &nonsense);
	put(fold, list, left, &nonsense);
	put(fold, list, "webhook/t/1", &nonsense);
	put_all(fold, list, codec);
	delivery_list_sort(list, fold);
	assert_int_equal(delivery_list_count(list), 4);
	assert_int_equal(delivery_list_unreadable(list), 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_finds_its_deliveries),
		cmocka_unit_test(bodies_are_listed_when_asked_for),
		cmocka_unit_test(an_unreadable_record_counts_while_it_is_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
