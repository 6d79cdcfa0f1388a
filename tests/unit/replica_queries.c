/* The replica's look-ups: the registry's, expired records; and that every query has an index. */
#include "replica/internal.h"
#include "replica_fixture.h"

static const struct registry *registry_of(struct fixture *f) {
	return replica_registry(f->replica);
}

static void a_tenant_sees_its_own(void **state) {
	struct fixture *f = *state;
	const struct registry *registry = registry_of(f);
	struct uuid id = uuid_of(1), other = uuid_of(2);
	struct webhook webhook;
	struct receipt receipt;
	enum delivery_status status;
	int64_t due_ms;

	put(f, 0, webhook_of("tenant-a", 1, 77));
	put(f, 0, receipt_of("tenant-a", "50%/2", 5));
	put(f, 0, delivery_of(9, 1, DELIVERY_PENDING, 5));
	assert_int_equal(
	    registry->webhook_get(registry->userdata, f->arena, "tenant-a", &id, &webhook), 0);
	assert_int_equal(webhook.created_at_ms, 77);
	assert_string_equal(webhook.tenant_id, "tenant-a");
	assert_int_equal(
	    registry->webhook_get(registry->userdata, f->arena, "tenant-b", &id, &webhook),
	    REGISTRY_E_NOT_FOUND);
	assert_int_equal(
	    registry->webhook_get(registry->userdata, f->arena, "tenant-a", &other, &webhook),
	    REGISTRY_E_NOT_FOUND);

	assert_int_equal(
	    registry->receipt_get(registry->userdata, f->arena, "tenant-a", "50%/2", &receipt), 0);
	assert_int_equal(receipt.status, 204);
	assert_int_equal(
	    registry->receipt_get(registry->userdata, f->arena, "tenant-b", "50%/2", &receipt),
	    REGISTRY_E_NOT_FOUND);

	id = uuid_of(9);
	assert_int_equal(registry->delivery_find(registry->userdata, &id, &status, &due_ms), 0);
	assert_int_equal(status, DELIVERY_PENDING);
	assert_int_equal(due_ms, 5);
	assert_int_equal(registry->delivery_find(registry->userdata, &other, &status, &due_ms),
			 REGISTRY_E_NOT_FOUND);
}

/* Webhooks 0..24, of which each three share a time; read by pages, the list is in order and
 * complete also while it changes. */
static void pages_list_every_webhook_once(void **state) {
	struct fixture *f = *state;
	const struct registry *registry = registry_of(f);
	struct webhook_query query = { .limit = 10, .bytes_max = SIZE_MAX };
	struct webhook_list page;
	struct cursor after;
	uint32_t expected = 0;
	size_t pages = 0;

	for (uint32_t n = 25; n-- > 0;)
		put(f, 0, webhook_of("tenant", n, 1000 + n / 3));
	put(f, 0, webhook_of("tenant-", 100, 1001));
	put(f, 0, webhook_of("tenan", 101, 1001));
	do {
		assert_int_equal(
		    registry->webhook_list(registry->userdata, f->arena, "tenant", &query, &page),
		    0);
		assert_int_equal(page.has_more, page.count == 10);
		for (size_t i = 0; i < page.count; i++, expected++) {
			struct uuid id = uuid_of(expected);

			assert_memory_equal(&page.items[i].id, &id, sizeof(id));
			after = (struct cursor){ page.items[i].created_at_ms, page.items[i].id };
		}
		query.after = &after;
		/* The cursor's item goes, and one before it comes: neither moves the place. */
		if (page.count)
			del(f, 0, webhook_of("tenant", expected - 1, 0));
		put(f, 0, webhook_of("tenant", (uint32_t)(200 + pages), 1));
		pages++;
	} while (page.count);
	assert_int_equal(expected, 25);
	assert_int_equal(pages, 4);
}

static void a_list_ends_past_its_bytes(void **state) {
	/* A record is some bytes longer than its description. */
	enum { LONG = 1000, COUNT = 5 };
	static const struct {
		size_t limit, bytes_max, count;
		bool has_more;
	} rows[] = {
		{ 10, 1, 1, true },
		{ 10, LONG, 1, true },
		{ 10, 2 * LONG, 2, true },
		{ 10, 4 * LONG, 4, true },
		{ 10, 5 * LONG, 5, false },
		{ 2, 5 * LONG, 2, true },
		{ COUNT, SIZE_MAX, COUNT, false },
	};
	struct fixture *f = *state;
	const struct registry *registry = registry_of(f);
	char description[LONG + 1] = { 0 };

	memset(description, 'x', LONG);
	for (uint32_t n = 0; n < COUNT; n++) {
		struct state_record record = webhook_of("t", n, n);

		record.webhook.description = description;
		put(f, 0, record);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct webhook_query query = { .limit = rows[i].limit,
						     .bytes_max = rows[i].bytes_max };
		struct webhook_list list;

		assert_int_equal(
		    registry->webhook_list(registry->userdata, f->arena, "t", &query, &list), 0);
		assert_int_equal(list.count, rows[i].count);
		assert_int_equal(list.has_more, rows[i].has_more);
	}
}

static void signing_keys_are_listed_until_they_expire(void **state) {
	static const struct {
		int64_t now_ms;
		size_t limit, expected;
	} rows[] = { { 0, 100, 3 },    { 20, 100, 2 }, { 49, 100, 2 }, { 50, 100, 1 },
		     { 1000, 100, 1 }, { 0, 2, 2 },    { 0, 1, 1 } };
	struct fixture *f = *state;
	const struct registry *registry = registry_of(f);
	struct signing_key newest;
	size_t count;

	assert_int_equal(registry->signing_key_newest(registry->userdata, f->arena, "t", &newest),
			 REGISTRY_E_NOT_FOUND);
	put(f, 0, signing_key_of("t", "b", 2, 50));
	put(f, 0, signing_key_of("t", "c", 10, 0));
	put(f, 0, signing_key_of("t", "a", 1, 20));
	put(f, 0, signing_key_of("u", "d", 99, 0));
	assert_int_equal(registry->signing_key_newest(registry->userdata, f->arena, "t", &newest),
			 0);
	assert_string_equal(newest.kid, "c");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(registry->signing_key_count(registry->userdata, "t",
							     rows[i].now_ms, rows[i].limit, &count),
				 0);
		assert_int_equal(count, rows[i].expected);
	}
	assert_int_equal(registry->signing_key_count(registry->userdata, "nobody", 0, 100, &count),
			 0);
	assert_int_equal(count, 0);
}

static bool takes_each(void *userdata _unused_, const struct subscriber *subscriber _unused_) {
	return true;
}

/* "n:types n:types ", in order. */
static void assert_subscribers(struct fixture *f, const char *tenant_id, size_t limit,
			       const char *expected) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(1024);
	const struct registry *registry = registry_of(f);
	const struct subscriber_query query = { .takes = takes_each, .limit = limit };
	struct subscriber *found;
	size_t count;

	assert_int_equal(
	    registry->subscribers(registry->userdata, f->arena, tenant_id, &query, &found, &count),
	    0);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&out, "%d:%u ", found[i].webhook_id.bytes[3], found[i].types);
	assert_string_equal(out.len ? out.data : "", expected);
}

static void only_enabled_subscribers_take_an_event(void **state) {
	struct state_record both = webhook_of("t", 1, 30), disabled = webhook_of("t", 2, 20),
			    summary = webhook_of("t", 3, 10);
	static const char *const types[] = { EVENT_TYPE_CREDENTIAL_ISSUED,
					     EVENT_TYPE_CREDENTIAL_ISSUED_SUMMARY };
	struct fixture *f = *state;

	both.webhook.events = types;
	both.webhook.event_count = 2;
	disabled.webhook.disabled = true;
	summary.webhook.events = &types[1];
	assert_subscribers(f, "t", 100, "");
	put(f, 0, both);
	put(f, 0, disabled);
	put(f, 0, summary);
	put(f, 0, webhook_of("t", 4, 30));
	put(f, 0, webhook_of("u", 5, 1));
	assert_subscribers(f, "t", 100, "3:2 1:3 4:1 ");
	assert_subscribers(f, "t", 2, "3:2 1:3 ");
	/* An update counts at once, either way; so does a delete. */
	both.webhook.disabled = true;
	disabled.webhook.disabled = false;
	put(f, 0, both);
	put(f, 0, disabled);
	del(f, 0, summary);
	assert_subscribers(f, "t", 100, "2:1 4:1 ");
}

static void assert_webhook_count(struct fixture *f, const char *tenant_id, int64_t expected) {
	const struct registry *registry = registry_of(f);
	int64_t count;

	assert_int_equal(registry->webhook_count(registry->userdata, tenant_id, &count), 0);
	assert_int_equal(count, expected);
}

static void webhooks_are_counted(void **state) {
	struct fixture *f = *state;

	assert_webhook_count(f, "t", 0);
	for (uint32_t n = 0; n < 5; n++)
		put(f, 0, webhook_of("t", n, n));
	put(f, 1, webhook_of("u", 9, 1));
	put(f, 0, webhook_of("t", 1, 7)); /* again: no further one */
	assert_webhook_count(f, "t", 5);
	del(f, 0, webhook_of("t", 1, 0));
	del(f, 0, webhook_of("t", 1, 0));
	assert_webhook_count(f, "t", 4);

	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	put(f, 0, webhook_of("t", 20, 1));
	del(f, 0, webhook_of("t", 2, 0));
	del(f, 0, webhook_of("t", 3, 0));
	assert_webhook_count(f, "t", 3);
	replica_rollback(f->replica);
	assert_webhook_count(f, "t", 4);

	assert_int_equal(replica_flush(f->replica), 0);
	assert_int_equal(replica_drop_partition(f->replica, 0), 0);
	assert_webhook_count(f, "t", 0);
	assert_webhook_count(f, "u", 1);
}

/* Whatever came and went while the file was filled. */
static void webhooks_of_a_filled_file_are_counted(void **state) {
	struct fixture *f = *state;
	int r;

	assert_int_equal(replica_fill_begin(f->replica), 0);
	assert_true(replica_is_filling(f->replica));
	for (uint32_t n = 0; n < 5; n++)
		put(f, 0, webhook_of("t", n, n));
	put(f, 0, webhook_of("u", 9, 1));
	del(f, 0, webhook_of("t", 1, 0));
	do
		r = replica_fill_end(f->replica);
	while (r == REPLICA_E_MORE);
	assert_int_equal(r, 0);
	assert_webhook_count(f, "t", 4);
	assert_webhook_count(f, "u", 1);
	assert_subscribers(f, "t", 100, "0:1 2:1 3:1 4:1 ");
	put(f, 0, webhook_of("t", 11, 1));
	del(f, 0, webhook_of("u", 9, 0));
	assert_webhook_count(f, "t", 5);
	assert_webhook_count(f, "u", 0);
}

static void put_key(struct fixture *f, int32_t partition, const char *kid,
		    const char *master_key_id, int64_t expires_at_ms) {
	struct state_record record = signing_key_of("t", kid, 1, expires_at_ms);

	record.signing_key.master_key_id = master_key_id;
	put(f, partition, record);
}

/* What `has` is given: the master keys that are known, with blanks around, and the ids that were
 * asked for. */
struct known {
	const char *ids;
	struct buffer *asked;
};

static bool is_known(const void *userdata, const char *master_key_id) {
	const struct known *known = userdata;
	_cleanup_(x_freep) char *word = x_asprintf(" %s ", master_key_id);

	buffer_printf(known->asked, "%s ", master_key_id);
	return strstr(known->ids, word);
}

/* Asks at 100. "kid" of the orphan, or "" without one; and of which master keys it was asked. */
static void assert_orphan(struct fixture *f, int32_t partition, const char *known_ids,
			  const char *kid, const char *asked) {
	_cleanup_(buffer_destroy) struct buffer ids = BUFFER_INIT(1024);
	struct known known = { known_ids, &ids };
	struct orphan orphan;
	int r = replica_find_orphan_key(f->replica, f->arena, partition, 100, is_known, &known,
					&orphan);

	assert_int_equal(r, *kid ? 0 : REPLICA_E_NOT_FOUND);
	if (*kid)
		assert_string_equal(orphan.name, kid);
	assert_string_equal(ids.len ? ids.data : "", asked);
}

static void keys_without_their_master_key_are_found(void **state) {
	struct fixture *f = *state;

	assert_orphan(f, 0, "", "", "");
	put_key(f, 0, "a", "m2", 0);
	put_key(f, 0, "b", "m2", 0);
	put_key(f, 0, "expired", "m1", 100);
	put_key(f, 0, "listed", "m3", 101);
	put_key(f, 0, "expired too", "m3", 99);
	put_key(f, 1, "elsewhere", "m4", 0);
	assert_orphan(f, 0, " m2 ", "listed", "m1 m2 m3 ");
	assert_orphan(f, 0, " m2 m3 ", "", "m2 m3 ");
	assert_orphan(f, 1, " m2 m3 ", "elsewhere", "m4 ");
	put_key(f, 0, "listed", "m3", 100);
	assert_orphan(f, 0, " m2 ", "", "m2 m3 ");
	assert_orphan(f, 0, " m2 ", "", "m2 ");
	put_key(f, 0, "again", "m3", 0);
	assert_orphan(f, 0, " m2 ", "again", "m2 m3 ");
}

/* Whose secret is of that master key; or a former one until that time; or a header. */
static struct state_record webhook_with(uint32_t n, const char *secret, const char *former,
					int64_t until_ms, const char *sealed) {
	static struct webhook_header headers[2] = { { .name = "a" }, { .name = "b" } };
	struct state_record record = webhook_of("t", n, 1);

	record.webhook.secret_master_key_id = secret;
	record.webhook.former_secret_master_key_id = former;
	record.webhook.secret_overlap_until_ms = until_ms;
	if (!sealed)
		return record;
	record.webhook.headers = headers;
	record.webhook.header_count = 2;
	headers[0].sealed = headers[1].sealed = (const uint8_t *)sealed;
	headers[0].sealed_len = 15; /* damaged: it names none */
	headers[1].sealed_len = strlen(sealed);
	return record;
}

static void format_webhook(uint32_t n, char out[UUID_TEXT_SIZE]) {
	const struct state_record record = webhook_of("t", n, 1);

	uuid_format(&record.webhook.id, out);
}

static void webhooks_name_master_keys_too(void **state) {
	struct fixture *f = *state;
	char first[UUID_TEXT_SIZE], second[UUID_TEXT_SIZE], third[UUID_TEXT_SIZE];

	format_webhook(1, first);
	format_webhook(2, second);
	format_webhook(3, third);
	put(f, 0, webhook_with(1, "m1", NULL, 0, NULL));
	assert_orphan(f, 0, " m2 ", first, "m1 ");
	assert_orphan(f, 0, " m1 ", "", "m1 ");
	put(f, 0, webhook_with(2, "m1", "m2", 101, NULL));
	assert_orphan(f, 0, " m1 ", second, "m1 m2 ");
	put(f, 0, webhook_with(2, "m1", "m2", 100, NULL));
	assert_orphan(f, 0, " m1 ", "", "m1 m2 ");
	assert_orphan(f, 0, " m1 ", "", "m1 ");
	put(f, 0, webhook_with(3, NULL, NULL, 0, "0123456789abcdef and more"));
	assert_orphan(f, 0, " m1 ", third, "0123456789abcdef ");
	assert_orphan(f, 0, " m1 0123456789abcdef ", "", "0123456789abcdef m1 ");
	del(f, 0, webhook_with(3, NULL, NULL, 0, NULL));
	assert_orphan(f, 0, " m1 ", "", "0123456789abcdef m1 ");
	assert_orphan(f, 0, " m1 ", "", "m1 ");
}

static void a_dropped_partition_names_no_master_key(void **state) {
	struct fixture *f = *state;

	put_key(f, 0, "a", "m1", 0);
	put_key(f, 1, "b", "m1", 0);
	assert_int_equal(replica_drop_partition(f->replica, 0), 0);
	assert_orphan(f, 0, "", "", "");
	assert_orphan(f, 1, "", "b", "m1 ");
}

static void assert_expired(struct fixture *f, int64_t now_ms, int64_t dead_before_ms, size_t limit,
			   const char *expected) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(4096);
	struct state_key *keys;
	size_t count;

	assert_int_equal(
	    replica_expired(f->replica, f->arena, 0,
			    &(struct replica_expiry){ now_ms, dead_before_ms, dead_before_ms - 10 },
			    limit, &keys, &count),
	    0);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&out, "%s ", state_key_format(f->arena, &keys[i]));
	assert_string_equal(out.len ? out.data : "", expected);
}

static void expired_records_are_found(void **state) {
	struct fixture *f = *state;

	put(f, 0, signing_key_of("t", "signing", 2, 0));
	put(f, 0, signing_key_of("t/u", "old", 1, 100));
	put(f, 0, receipt_of("t", "early", 50));
	put(f, 0, receipt_of("t", "a%b", 100));
	put(f, 0, receipt_of("t", "late", 101));
	put(f, 1, receipt_of("t", "elsewhere", 1));
	put(f, 0, delivery_of(1, 1, DELIVERY_DEAD, 30));
	put(f, 0, delivery_of(2, 1, DELIVERY_DEAD, 31));
	put(f, 0, delivery_of(3, 1, DELIVERY_PENDING, 1));
	put(f, 0, delivery_of(4, 1, DELIVERY_SUCCEEDED, 20));
	put(f, 0, delivery_of(5, 1, DELIVERY_SUCCEEDED, 21));

	assert_expired(f, 0, 0, 100, "");
	assert_expired(f, 100, 31, 100,
		       "key/t%2Fu/old delivery/00000001-0000-8000-8000-000000000000 "
		       "delivery/00000004-0000-8000-8000-000000000000 "
		       "receipt/t/early receipt/t/a%25b ");
	assert_expired(f, 100, 31, 2,
		       "key/t%2Fu/old delivery/00000001-0000-8000-8000-000000000000 ");
	assert_expired(f, 99, 0, 100, "receipt/t/early ");
}

/* With a million pending deliveries a scan, or a sort, would be seen by everybody: none may creep
 * in. */
static void every_query_has_an_index(void **state) {
	struct fixture *f = *state;

	for (int i = STATEMENT_OFFSET_GET; i < STATEMENT_COUNT_WEBHOOKS; i++) {
		_cleanup_(x_freep) char *sql = x_asprintf(
		    "EXPLAIN QUERY PLAN %s", sqlite3_sql(f->replica->statements.prepared[i]));
		sqlite3_stmt *plan;

		assert_int_equal(sqlite3_prepare_v2(f->replica->db, sql, -1, &plan, NULL),
				 SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW) {
			const char *detail = (const char *)sqlite3_column_text(plan, 3);

			/* The backlog is asked once for an assignment, and read off the index of
			 * the pending, but for a row of each webhook. */
			if (i == STATEMENT_DELIVERY_BACKLOG &&
			    strstr(detail, "USING INDEX delivery_pending"))
				continue;
			if (strncmp(detail, "SCAN", 4) == 0 || strstr(detail, "TEMP B-TREE"))
				fail_msg("%s: %s", sql, detail);
		}
		sqlite3_finalize(plan);
	}
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_tenant_sees_its_own),
		TEST(pages_list_every_webhook_once),
		TEST(a_list_ends_past_its_bytes),
		TEST(signing_keys_are_listed_until_they_expire),
		TEST(only_enabled_subscribers_take_an_event),
		TEST(webhooks_are_counted),
		TEST(webhooks_of_a_filled_file_are_counted),
		TEST(keys_without_their_master_key_are_found),
		TEST(webhooks_name_master_keys_too),
		TEST(a_dropped_partition_names_no_master_key),
		TEST(expired_records_are_found),
		TEST(every_query_has_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
