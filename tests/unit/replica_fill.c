/* A new file is filled without a journal and without all indexes. */
#include "replica_fixture.h"

#include <errno.h>
#include <unistd.h>

static void end_filling(struct fixture *f) {
	int r;

	do
		r = replica_fill_end(f->replica);
	while (r == REPLICA_E_MORE);
	assert_int_equal(r, 0);
}

static int count_backlog(void *userdata, const struct uuid *webhook_id _unused_,
			 const char *tenant_id _unused_, int64_t next_due_ms _unused_,
			 int64_t count) {
	*(int64_t *)userdata += count;
	return 0;
}

/* Filled without a journal, and without all indexes: afterwards it has both. */
static void a_filled_file_has_its_journal_and_indexes(void **state) {
	struct fixture *f = *state;
	struct replica *reader;
	const char *rows;
	int64_t pending = 0;

	fixture_fill(f);
	rows = dump_text(f, f->replica);
	replica_discard(TAKE(f->replica));
	fixture_open(f);
	assert_int_equal(replica_fill_begin(f->replica), 0);
	fixture_fill(f);
	end_filling(f);
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), 0);
	assert_int_equal(replica_begin(f->replica), 0); /* a writer does not keep a reader out */
	put(f, 0, webhook_of("t", 2, 2));
	assert_string_equal(dump_text(f, reader), rows);
	replica_close(reader);
	replica_rollback(f->replica);
	assert_int_equal(replica_backlog(f->replica, 0, count_backlog, &pending), 0);
	assert_int_equal(pending, 3000);
	fixture_close(f);
	fixture_open(f);
	assert_string_equal(dump_text(f, f->replica), rows);
	assert_int_equal(fixture_use(f), 0);
}

static void a_half_filled_file_is_replaced(void **state) {
	struct fixture *f = *state;
	struct replica *reader;

	assert_int_equal(replica_fill_begin(f->replica), 0);
	fixture_fill(f);
	assert_int_equal(replica_fill_end(f->replica), REPLICA_E_MORE);
	fixture_close(f);
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), -EINVAL);
	fixture_open(f);
	assert_int_equal(dump_count(f, f->replica), 0);
	put(f, 0, webhook_of("t", 1, 1));
}

/* Filling cannot be undone: the file goes. */
static void a_rollback_while_filling_removes_the_file(void **state) {
	struct fixture *f = *state;

	assert_int_equal(replica_fill_begin(f->replica), 0);
	fixture_fill(f);
	assert_int_equal(replica_begin(f->replica), 0);
	put(f, 0, webhook_of("t", 2, 2));
	replica_rollback(f->replica);
	fixture_close(f);
	assert_int_not_equal(access(f->file, F_OK), 0);
	fixture_open(f);
}

static void only_a_new_file_is_filled(void **state) {
	struct fixture *f = *state;

	assert_int_equal(replica_fill_end(f->replica),
			 0); /* there was nothing to fill it with: it is used */
	assert_int_equal(replica_fill_begin(f->replica), 0);
	put(f, 0, webhook_of("t", 1, 1));
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(replica_fill_begin(f->replica), 0);
	put(f, 0, webhook_of("t", 2, 2));
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(dump_count(f, f->replica), 2);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_filled_file_has_its_journal_and_indexes),
		TEST(a_half_filled_file_is_replaced),
		TEST(a_rollback_while_filling_removes_the_file),
		TEST(only_a_new_file_is_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
