/* The replica's file: kept, locked, replaced, damaged, and read beside its writer. */
#include "replica_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_reopened_file_keeps_its_records(void **state) {
	struct fixture *f = *state;
	const char *before;

	put(f, 0, webhook_of("t", 1, 1));
	before = dump_text(f, f->replica);
	fixture_close(f);
	fixture_open(f);
	assert_string_equal(dump_text(f, f->replica), before);
}

static void only_the_owner_reads_the_files(void **state) {
	struct fixture *f = *state;
	_cleanup_(x_freep) char *sub = x_asprintf("%s/sub", f->directory),
				*file = x_asprintf("%s/replica.db", sub),
				*lock = x_asprintf("%s/lock", sub);
	_cleanup_(replica_closep) struct replica *replica = NULL;
	struct stat st;

	assert_int_equal(replica_open(sub, CLUSTER, f->codec, &replica), 0);
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	replica_close(TAKE(replica));
	unlink(file);
	unlink(lock);
	assert_int_equal(rmdir(sub), 0); /* nothing else was left in it */
}

static void a_second_open_is_busy(void **state) {
	struct fixture *f = *state;
	struct replica *second;

	assert_int_equal(replica_open(f->directory, CLUSTER, f->codec, &second), -EBUSY);
	fixture_close(f);
	fixture_open(f);
}

static void set_meta(struct fixture *f, const char *name) {
	_cleanup_(x_freep) char *sql =
	    x_asprintf("UPDATE meta SET value = 'another' WHERE name = '%s'", name);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
}

/* A statement with triggers has a journal of its own, whose end costs as much as the turn is long.
 */
static void no_table_has_a_trigger(void **state) {
	struct fixture *f = *state;
	sqlite3_stmt *statement;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
					    -1, &statement, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void a_file_of_another_identity_is_replaced(void **state) {
	static const char *const names[] = { "schema", "cluster", "boot" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put(f, 0, webhook_of("t", 1, 1));
		fixture_close(f);
		set_meta(f, names[i]);
		fixture_open(f);
		assert_int_equal(dump_count(f, f->replica), 0);
	}
	put(f, 0, webhook_of("t", 1, 1));
	fixture_close(f);
	assert_int_equal(replica_open(f->directory, "cluster-2", f->codec, &f->replica), 0);
	assert_int_equal(dump_count(f, f->replica), 0);
}

static void overwrite(struct fixture *f, off_t from, off_t len) {
	int fd = open(f->file, O_WRONLY | O_CLOEXEC);
	char noise[4096];

	memset(noise, 0xa5, sizeof(noise));
	assert_true(fd >= 0);
	for (off_t at = from; at < from + len; at += (off_t)sizeof(noise))
		assert_true(
		    pwrite(fd, noise, (size_t)MIN((off_t)sizeof(noise), from + len - at), at) > 0);
	close(fd);
}

/* Whatever is in the file: it opens, or works with errors until it is closed; after that it is
 * whole and empty. */
static void a_damaged_file_opens_or_is_replaced(void **state) {
	static const struct {
		const char *name;
		off_t truncate_to; /* -1: not */
		off_t overwrite, len;
	} rows[] = {
		{ "empty", 0, 0, 0 },
		{ "shorter than a header", 50, 0, 0 },
		{ "the header alone", 100, 0, 0 },
		{ "two pages", 16384, 0, 0 },
		{ "half", 300000, 0, 0 },
		{ "garbage at the start", -1, 0, 4096 },
		{ "garbage after the header", -1, 100, 8092 },
		{ "garbage in the middle", -1, 8192 * 15, 8192 * 10 },
		{ "garbage everywhere but the first pages", -1, 8192 * 20, 8192 * 40 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r;

		print_message("%s\n", rows[i].name);
		fixture_fill(f);
		fixture_close(f);
		if (rows[i].truncate_to >= 0)
			assert_int_equal(truncate(f->file, rows[i].truncate_to), 0);
		else
			overwrite(f, rows[i].overwrite, rows[i].len);
		r = replica_open(f->directory, CLUSTER, f->codec, &f->replica);
		if (!r)
			r = fixture_use(f);
		assert_true(r == 0 || r == -EIO);
		fixture_close(f);
		fixture_open(f);
		assert_int_equal(dump_count(f, f->replica), 0);
	}
}

static void damage_under_way_is_an_error(void **state) {
	struct fixture *f = *state;

	fixture_fill(f);
	fixture_close(f);
	overwrite(f, 8192 * 20, 8192 * 40);
	fixture_open(f); /* the first pages are sound */
	assert_int_equal(fixture_use(f), -EIO);
}

static void a_discard_removes_the_file(void **state) {
	struct fixture *f = *state;

	put(f, 0, webhook_of("t", 1, 1));
	replica_discard(TAKE(f->replica));
	assert_int_equal(access(f->file, F_OK), -1);
	fixture_open(f);
	assert_int_equal(dump_count(f, f->replica), 0);
}

static void a_reader_sees_the_last_commit(void **state) {
	struct fixture *f = *state;
	_cleanup_(replica_closep) struct replica *reader = NULL;
	struct state_record record = webhook_of("t", 9, 1);
	struct change change = { .key = state_record_key(&record) };
	const char *committed;

	put(f, 0, webhook_of("t", 1, 1));
	committed = dump_text(f, f->replica);
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), 0);
	assert_int_equal(replica_begin(f->replica), 0);
	put(f, 0, webhook_of("t", 2, 1));
	assert_string_equal(dump_text(f, reader), committed);
	assert_int_equal(replica_commit(f->replica), 0);
	assert_string_equal(dump_text(f, reader), dump_text(f, f->replica));
	assert_int_equal(dump_count(f, reader), 2);
	assert_int_equal(replica_apply(reader, 0, &change, NULL, 0), -EIO); /* it cannot write */
}

static void a_reader_opens_the_file_of_a_stopped_worker(void **state) {
	struct fixture *f = *state;
	_cleanup_(replica_closep) struct replica *reader = NULL;

	put(f, 0, webhook_of("t", 1, 1));
	fixture_close(f);
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), 0);
	assert_int_equal(dump_count(f, reader), 1);
}

/* kill -9: committed records are there, for a reader and for the next worker; others are not. */
static void a_killed_worker_leaves_its_commits(void **state) {
	struct fixture *f = *state;
	struct replica *reader;
	int status;
	pid_t child;

	fixture_close(f);
	child = fork();
	if (child == 0) {
		if (replica_open(f->directory, CLUSTER, f->codec, &f->replica) ||
		    replica_begin(f->replica))
			_exit(1);
		put(f, 0, webhook_of("t", 1, 1));
		if (replica_commit(f->replica) || replica_begin(f->replica))
			_exit(1);
		put(f, 0, webhook_of("t", 2, 1));
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), 0);
	assert_int_equal(dump_count(f, reader), 1);
	replica_close(reader);
	fixture_open(f);
	assert_int_equal(dump_count(f, f->replica), 1);
}

/* Turns share a commit: a reader sees none of them before, all of them after; one that is undone
 * leaves the others. */
static void turns_share_a_commit(void **state) {
	struct fixture *f = *state;
	_cleanup_(replica_closep) struct replica *reader = NULL;

	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), 0);
	assert_int_equal(replica_turn_begin(f->replica, 5000), 0);
	put(f, 0, webhook_of("t", 1, 1));
	assert_int_equal(replica_turn_end(f->replica, 5001), 0);
	assert_int_equal(replica_turn_begin(f->replica, 7900), 0);
	put(f, 0, webhook_of("t", 2, 1));
	replica_rollback(f->replica);
	assert_int_equal(replica_turn_begin(f->replica, 7900), 0);
	put(f, 0, webhook_of("t", 3, 1));
	assert_int_equal(replica_turn_end(f->replica, 7990), 0);
	assert_int_equal(dump_count(f, f->replica), 2);
	assert_int_equal(dump_count(f, reader), 0);
	assert_false(replica_is_due(f->replica, 7999));
	assert_true(replica_is_due(f->replica, 8000)); /* since the first of them */
	assert_int_equal(replica_flush(f->replica), 0);
	assert_int_equal(dump_count(f, reader), 2);
	assert_false(replica_is_due(f->replica, 100000)); /* there is nothing more */
	assert_int_equal(replica_flush(f->replica), 0);
	assert_int_equal(replica_turn_begin(f->replica, 9000), 0);
	assert_int_equal(replica_turn_end(f->replica, 9001), 0);
	assert_false(replica_is_due(f->replica, 9020));
	assert_true(replica_is_due(f->replica, 9021)); /* no more come */
}

/* Gathered turns are there when the file is closed, and before a transaction of its own; an open
 * turn is not. */
static void gathered_turns_are_kept_by_a_close(void **state) {
	struct fixture *f = *state;

	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	put(f, 0, webhook_of("t", 1, 1));
	assert_int_equal(replica_turn_end(f->replica, 0), 0);
	assert_int_equal(replica_begin(f->replica), 0);
	put(f, 0, webhook_of("t", 2, 1));
	replica_rollback(f->replica);
	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	put(f, 0, webhook_of("t", 3, 1));
	assert_int_equal(replica_turn_end(f->replica, 0), 0);
	assert_int_equal(replica_turn_begin(f->replica, 0), 0);
	put(f, 0, webhook_of("t", 4, 1));
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(dump_count(f, f->replica), 2);
}

static void a_reader_refuses_a_broken_file(void **state) {
	struct fixture *f = *state;
	struct replica *reader;

	assert_int_equal(replica_open_readonly("/nonexistent/replica.db", f->codec, &reader),
			 -ENOENT);
	fixture_close(f);
	overwrite(f, 0, 8192);
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), -EINVAL);
	assert_int_equal(access(f->file, F_OK), 0); /* a reader removes nothing */
	unlink(f->file);
	assert_int_equal(replica_open_readonly(f->file, f->codec, &reader), -ENOENT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_reopened_file_keeps_its_records),
		TEST(only_the_owner_reads_the_files),
		TEST(a_second_open_is_busy),
		TEST(no_table_has_a_trigger),
		TEST(a_file_of_another_identity_is_replaced),
		TEST(a_damaged_file_opens_or_is_replaced),
		TEST(damage_under_way_is_an_error),
		TEST(a_discard_removes_the_file),
		TEST(a_reader_sees_the_last_commit),
		TEST(a_reader_opens_the_file_of_a_stopped_worker),
		TEST(a_killed_worker_leaves_its_commits),
		TEST(turns_share_a_commit),
		TEST(gathered_turns_are_kept_by_a_close),
		TEST(a_reader_refuses_a_broken_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
