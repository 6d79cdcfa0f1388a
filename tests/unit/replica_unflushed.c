/* Records that no commit has written yet, after a turn, its rollback, a look-up and a commit. */
#include "replica/internal.h"
#include "replica_fixture.h"

#include <errno.h>

static void begin(struct fixture *f) {
	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
}

static void end(struct fixture *f) {
	assert_int_equal(replica_turn_end(f->replica, 0), 0);
}

/* The first value of the first row, as a text that the caller frees. */
static char *select_one(struct fixture *f, const char *sql) {
	sqlite3_stmt *statement;
	char *found;

	assert_int_equal(sqlite3_prepare_v2(f->replica->db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	found = x_strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return found;
}

static int64_t rows(struct fixture *f) {
	_cleanup_(x_freep) char *count = select_one(f, "SELECT count(*) FROM delivery");

	return atoll(count);
}

/* The keys of the receipts' rows, in the order in which they were written. */
static void assert_receipts_written(struct fixture *f, const char *expected) {
	_cleanup_(x_freep) char *found =
	    select_one(f, "SELECT coalesce(group_concat(key, ' '), '') FROM"
			  " (SELECT key FROM receipt ORDER BY rowid)");

	assert_string_equal(found, expected);
}

/* When the command's receipt expires, or -1. */
static int64_t expiry_of(struct fixture *f, const char *command_id) {
	const struct registry *registry = replica_registry(f->replica);
	struct receipt receipt;
	int r = registry->receipt_get(registry->userdata, f->arena, "t", command_id, &receipt);

	assert_in_range(r, 0, REGISTRY_E_NOT_FOUND);
	return r == 0 ? receipt.expires_at_ms : -1;
}

/* The due time of the delivery, or -1. */
static int64_t due_of(struct fixture *f, uint32_t n) {
	const struct registry *registry = replica_registry(f->replica);
	struct uuid id = uuid_of(n);
	enum delivery_status status;
	int64_t due_ms;
	int r = registry->delivery_find(registry->userdata, &id, &status, &due_ms);

	assert_in_range(r, 0, REGISTRY_E_NOT_FOUND);
	return r == 0 ? due_ms : -1;
}

static size_t pending_count(struct fixture *f, uint32_t webhook) {
	struct uuid id = uuid_of(webhook);
	struct delivery *deliveries;
	size_t count;

	assert_int_equal(replica_pending(f->replica, f->arena, &id, INT64_MAX,
					 (struct delivery_bounds){ 100, SIZE_MAX }, &deliveries,
					 &count),
			 0);
	return count;
}

static void a_delivery_that_ends_soon_has_no_row(void **state) {
	struct fixture *f = *state;

	begin(f);
	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	put(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 20));
	assert_int_equal(due_of(f, 1), 10);
	end(f);
	begin(f);
	del(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	assert_int_equal(due_of(f, 1), -1);
	end(f);
	assert_int_equal(rows(f), 0);
	assert_int_equal(replica_flush(f->replica), 0);
	assert_int_equal(rows(f), 1);
	assert_int_equal(due_of(f, 1), -1);
	assert_int_equal(due_of(f, 2), 20);
}

static void a_rollback_brings_back_ended_deliveries(void **state) {
	struct fixture *f = *state;

	begin(f);
	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	put(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 20));
	end(f);
	begin(f);
	del(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 11));
	put(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 21)); /* tried again: it is a row now */
	put(f, 0, delivery_of(3, 7, DELIVERY_PENDING, 30));
	assert_int_equal(due_of(f, 1), 11);
	assert_int_equal(due_of(f, 2), 21);
	replica_rollback(f->replica);
	assert_int_equal(due_of(f, 1), 10);
	assert_int_equal(due_of(f, 2), 20);
	assert_int_equal(due_of(f, 3), -1);
	assert_int_equal(dump_count(f, f->replica), 2);
}

/* A look-up of rows finds them, in a turn and between two turns. Rows that a rollback takes from
 * SQLite are held again. */
static void a_look_up_writes_unflushed_deliveries(void **state) {
	struct fixture *f = *state;

	begin(f);
	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	end(f);
	begin(f);
	put(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 20));
	assert_int_equal(pending_count(f, 7), 2);
	assert_int_equal(rows(f), 2);
	replica_rollback(f->replica);
	assert_int_equal(rows(f), 0);
	assert_int_equal(pending_count(f, 7), 1);
	assert_int_equal(rows(f), 1);
	begin(f);
	del(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	end(f);
	assert_int_equal(rows(f), 0);
}

/* A delivery that is dead, or has a row, stays in its row; an id of another partition is another
 * row. */
static void a_delivery_with_a_row_keeps_it(void **state) {
	struct fixture *f = *state;

	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	begin(f);
	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 11));
	put(f, 0, delivery_of(2, 7, DELIVERY_DEAD, 20));
	put(f, 1, delivery_of(3, 7, DELIVERY_PENDING, 30));
	del(f, 0, delivery_of(3, 7, DELIVERY_PENDING, 30));
	end(f);
	assert_int_equal(rows(f), 2);
	assert_int_equal(due_of(f, 1), 11);
	assert_int_equal(due_of(f, 3), 30);
	assert_int_equal(dump_count(f, f->replica), 3);
}

/* Whether a put of delivery 1 in a turn asks for its row: it would find the one of another hand. */
static bool looks_for_its_row(struct fixture *f) {
	bool found;

	assert_int_equal(sqlite3_exec(f->replica->db,
				      "INSERT INTO delivery (id, partition, value, webhook_id, "
				      "tenant, status, due_ms) VALUES "
				      "(x'00000001000080008000000000000000', 0, x'00', "
				      "x'00000007000080008000000000000000', 't', 1, 5)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	found = unflushed_bytes(f->replica->unflushed) == 0;
	assert_int_equal(rows(f), 1);
	return found;
}

static void what_was_not_found_is_not_looked_for_again(void **state) {
	struct fixture *f = *state;

	begin(f);
	assert_int_equal(due_of(f, 1), -1);
	assert_false(looks_for_its_row(f));
}

static void what_nobody_looked_for_is_looked_for(void **state) {
	struct fixture *f = *state;

	begin(f);
	assert_true(looks_for_its_row(f));
}

static void a_row_that_came_since_is_found(void **state) {
	struct fixture *f = *state;

	print_message("it was written as a dead one\n");
	begin(f);
	assert_int_equal(due_of(f, 1), -1);
	put(f, 0, delivery_of(1, 7, DELIVERY_DEAD, 5));
	put(f, 0, delivery_of(1, 7, DELIVERY_PENDING, 10));
	assert_int_equal(unflushed_bytes(f->replica->unflushed), 0);
	end(f);
	print_message("it was written by a flush\n");
	assert_int_equal(due_of(f, 2), -1);
	begin(f);
	put(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 20));
	end(f);
	assert_int_equal(replica_flush(f->replica), 0);
	begin(f);
	put(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 21));
	assert_int_equal(unflushed_bytes(f->replica->unflushed), 0);
	end(f);
	print_message("a rollback brought it back\n");
	begin(f);
	del(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 21));
	assert_int_equal(due_of(f, 2), -1);
	replica_rollback(f->replica);
	begin(f);
	put(f, 0, delivery_of(2, 7, DELIVERY_PENDING, 22));
	assert_int_equal(unflushed_bytes(f->replica->unflushed), 0);
	end(f);
	assert_int_equal(due_of(f, 2), 22);
	assert_int_equal(rows(f), 2);
}

static void only_the_last_that_were_not_found_are_known(void **state) {
	struct fixture *f = *state;

	begin(f);
	for (uint32_t n = 1; n <= ABSENT_IDS_MAX + 1; n++)
		assert_int_equal(due_of(f, n), -1);
	assert_true(looks_for_its_row(f));
}

static void receipts_are_written_in_the_order_of_their_keys(void **state) {
	struct fixture *f = *state;
	static const char *const names[] = { "c", "a", "ab", "b" };

	begin(f);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		put(f, 0, receipt_of("t", names[i], 10));
	assert_int_equal(expiry_of(f, "ab"), 10);
	end(f);
	assert_receipts_written(f, "");
	assert_int_equal(replica_flush(f->replica), 0);
	assert_receipts_written(f, "receipt/t/a receipt/t/ab receipt/t/b receipt/t/c");
	assert_int_equal(expiry_of(f, "ab"), 10);
}

static void a_rollback_takes_receipts_of_its_turn_alone(void **state) {
	struct fixture *f = *state;

	begin(f);
	put(f, 0, receipt_of("t", "before", 10));
	end(f);
	begin(f);
	put(f, 0, receipt_of("t", "before", 11));
	put(f, 0, receipt_of("t", "in", 20));
	assert_int_equal(expiry_of(f, "before"), 11);
	replica_rollback(f->replica);
	assert_int_equal(expiry_of(f, "before"), 10);
	assert_int_equal(expiry_of(f, "in"), -1);
	assert_receipts_written(f, "");
}

/* A command may come again after its receipt has expired, and before that is deleted. */
static void a_receipt_that_has_a_row_is_replaced_and_deleted(void **state) {
	struct fixture *f = *state;

	put(f, 0, receipt_of("t", "c", 10));
	begin(f);
	put(f, 0, receipt_of("t", "c", 20));
	assert_int_equal(expiry_of(f, "c"), 20);
	end(f);
	begin(f);
	del(f, 0, receipt_of("t", "c", 20));
	assert_int_equal(expiry_of(f, "c"), -1);
	replica_rollback(f->replica);
	assert_int_equal(expiry_of(f, "c"), 20);
	begin(f);
	del(f, 0, receipt_of("t", "c", 20));
	end(f);
	assert_int_equal(replica_flush(f->replica), 0);
	assert_receipts_written(f, "");
}

/* Adds rows until there is no room for one more; returns that error. */
static int fill_up(struct fixture *f) {
	int r = 0;

	assert_int_equal(
	    sqlite3_exec(f->replica->db, "PRAGMA max_page_count = 64", NULL, NULL, NULL),
	    SQLITE_OK);
	for (uint32_t n = 100; r == 0 && n < 100000; n++) {
		struct state_record record = delivery_of(n, 7, DELIVERY_DEAD, 1);
		struct change change = { .key = state_record_key(&record), .record = &record };
		static const char value[1000];

		r = replica_apply(f->replica, 0, &change, value, sizeof(value));
	}
	return r;
}

/* A full disk takes the turns before with it: no turn goes on from their rest, and nothing of it is
 * committed. */
static void an_error_ends_the_turn(void **state) {
	struct fixture *f = *state;

	put(f, 0, webhook_of("t", 1, 1));
	begin(f);
	put(f, 0, webhook_of("t", 2, 2));
	end(f);
	begin(f);
	assert_int_equal(fill_up(f), -EIO);
	assert_int_equal(replica_turn_end(f->replica, 0), -EIO);
	replica_rollback(f->replica);
	assert_int_equal(dump_count(f, f->replica), 1); /* so it is with SQLite */
	assert_int_equal(replica_turn_begin(f->replica, 0), -EIO);
	assert_int_equal(replica_flush(f->replica), -EIO);
	assert_int_equal(replica_begin(f->replica), -EIO);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(dump_count(f, f->replica), 1);
	begin(f);
	end(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(a_delivery_that_ends_soon_has_no_row),
		TEST(a_rollback_brings_back_ended_deliveries),
		TEST(a_look_up_writes_unflushed_deliveries),
		TEST(a_delivery_with_a_row_keeps_it),
		TEST(what_was_not_found_is_not_looked_for_again),
		TEST(what_nobody_looked_for_is_looked_for),
		TEST(a_row_that_came_since_is_found),
		TEST(only_the_last_that_were_not_found_are_known),
		TEST(receipts_are_written_in_the_order_of_their_keys),
		TEST(a_rollback_takes_receipts_of_its_turn_alone),
		TEST(a_receipt_that_has_a_row_is_replaced_and_deleted),
		TEST(an_error_ends_the_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
