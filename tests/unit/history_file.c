/* The file: what is left of it after an end, a gap in the topic, its age and its size. */
#include "history_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void what_is_not_committed_is_folded_again(void **state) {
	struct fixture *f = *state;
	struct analytic_event first = event_of(1, ANALYTIC_RECEIVE, 0),
			      second = event_of(2, ANALYTIC_RECEIVE, 1);
	const struct history_query all = all_of("acme");

	fold_at(f, &first, 3, 41);
	assert_int_equal(history_fold(f->history, &second, 3, 44, NOW_MS), 0);
	reopen(f);
	assert_int_equal(history_resume(f->history, 3, 0, 100, NOW_MS), 42);
	assert_string_equal(delivery_json(f, "acme", 2), "not found");
	fold_at(f, &second, 3, 44);
	assert_string_equal(found(f, &all), "2 1");
	assert_int_equal(complete_since(f, "acme"), -1);
}

static void a_second_gateway_is_refused(void **state) {
	struct fixture *f = *state;
	struct history *second;

	assert_int_equal(history_open(&f->settings, &second), -EBUSY);
}

static void it_is_of_one_topic(void **state) {
	struct fixture *f = *state;
	struct analytic_event event = event_of(1, ANALYTIC_RECEIVE, 0);

	assert_int_equal(history_claim(f->history, "cluster topic"), 0);
	fold(f, &event);
	reopen(f);
	assert_int_equal(history_claim(f->history, "cluster topic"), 0);
	assert_string_not_equal(delivery_json(f, "acme", 1), "not found");
	assert_int_equal(history_claim(f->history, "another topic"), 0);
	assert_string_equal(delivery_json(f, "acme", 1), "not found");
	assert_int_equal(history_resume(f->history, 0, 0, 10, NOW_MS), 0);
	fold(f, &event);
	reopen(f);
	assert_int_equal(history_claim(f->history, "another topic"), 0);
	assert_string_not_equal(delivery_json(f, "acme", 1), "not found");
}

static void a_damaged_file_is_made_anew(void **state) {
	struct fixture *f = *state;
	_cleanup_(x_freep) char *path = x_asprintf("%s/history.db", f->folder);
	struct analytic_event event = event_of(1, ANALYTIC_RECEIVE, 0);
	FILE *file;

	fold(f, &event);
	history_closep(&f->history);
	f->history = NULL;
	file = fopen(path, "r+e");
	assert_non_null(file);
	assert_int_equal(fputs("this is no database", file) < 0, 0);
	fclose(file);
	assert_int_equal(history_open(&f->settings, &f->history), 0);
	assert_string_equal(delivery_json(f, "acme", 1), "not found");
}

/* No descriptor is left, as in a gateway with too many connections. */
static void a_file_that_cannot_be_read_now_stays(void **state) {
	struct fixture *f = *state;
	struct analytic_event event = event_of(1, ANALYTIC_RECEIVE, 0);
	struct rlimit before, few;
	int lock_fd, r;

	fold(f, &event);
	history_closep(&f->history);
	f->history = NULL;
	lock_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)lock_fd + 1; /* the lock, and no other */
	close(lock_fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = history_open(&f->settings, &f->history);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EIO);
	assert_int_equal(history_open(&f->settings, &f->history), 0);
	assert_string_not_equal(delivery_json(f, "acme", 1), "not found");
}

static void run_sql(struct fixture *f, const char *sql) {
	_cleanup_(x_freep) char *path = x_asprintf("%s/history.db", f->folder);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_file_without_a_table_is_made_anew(void **state) {
	static const char *const tables[] = { "event", "meta" };
	struct fixture *f = *state;
	struct analytic_event event = event_of(1, ANALYTIC_RECEIVE, 0);

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		_cleanup_(x_freep) char *sql = x_asprintf("DROP TABLE %s", tables[i]);

		print_message("%s\n", tables[i]);
		fold(f, &event);
		run_sql(f, sql);
		reopen(f);
		assert_string_equal(delivery_json(f, "acme", 1), "not found");
	}
}

/* It has nothing to do with the place, so that no other place would help. */
static void a_row_that_is_refused_ends_folding(void **state) {
	struct fixture *f = *state;
	struct analytic_event first = event_of(1, ANALYTIC_RECEIVE, 0),
			      second = event_of(2, ANALYTIC_RECEIVE, 1);

	run_sql(f, "CREATE UNIQUE INDEX one_event_of_a_tenant ON event (tenant)");
	fold(f, &first);
	alarm(60); /* it would try places for ever */
	assert_int_equal(history_fold(f->history, &second, 0, 1, NOW_MS), -EIO);
	alarm(0);
}

/* A delivery that nothing else is like, a second after the one before. */
static void fold_one_of_many(struct fixture *f, int i) {
	struct analytic_event event = event_of(1, ANALYTIC_RECEIVE, i);

	event.data.delivery.delivery_id.bytes[4] = (uint8_t)(i >> 8);
	event.data.delivery.delivery_id.bytes[5] = (uint8_t)i;
	assert_int_equal(history_fold(f->history, &event, 0, i, NOW_MS), 0);
}

static void fold_many(struct fixture *f, int count) {
	for (int i = 0; i < count; i++)
		fold_one_of_many(f, i);
	assert_int_equal(history_commit(f->history), 0);
}

/* Most of it is overwritten, and nothing of that is needed to open it. */
static void damage(const char *path) {
	enum { BLOCK = 8192 };
	static char nothing[BLOCK];
	FILE *file = fopen(path, "r+e");
	long size;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_in_range(size, 40 * BLOCK, LONG_MAX);
	assert_int_equal(fseek(file, 20 * BLOCK, SEEK_SET), 0);
	for (long at = 20 * BLOCK; at < size; at += BLOCK)
		assert_int_equal(fwrite(nothing, 1, BLOCK, file), BLOCK);
	assert_int_equal(fclose(file), 0);
}

static void damage_that_a_query_meets_is_noticed(void **state) {
	enum { DELIVERIES = 2000 };
	struct fixture *f = *state;
	_cleanup_(x_freep) char *path = x_asprintf("%s/history.db", f->folder);
	const struct history_query all = all_of("acme");

	fold_many(f, DELIVERIES);
	history_closep(&f->history);
	f->history = NULL;
	damage(path);
	assert_int_equal(history_open(&f->settings, &f->history), 0);
	assert_false(history_is_damaged(f->history));
	buffer_clear(&f->out);
	assert_int_equal(history_query_deliveries(f->history, &all, &f->out), -EIO);
	assert_true(history_is_damaged(f->history));
	reopen(f);
	assert_string_equal(found(f, &all), "");
}

static void a_gap_is_told(void **state _unused_) {
	static const struct {
		const char *name;
		int64_t begin, end, from, since_ms; /* -1: nothing is missing */
	} rows[] = {
		{ "it goes on", 0, 100, 11, -1 },
		{ "the topic lost what was folded", 11, 100, 11, -1 },
		{ "the topic lost more", 30, 100, 30, 5000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct analytic_event first = event_of(1, ANALYTIC_RECEIVE, 0),
				      second = event_of(2, ANALYTIC_RECEIVE, 5),
				      third = event_of(3, ANALYTIC_RECEIVE, 9);
		void *fresh;
		struct fixture *f;

		print_message("%s\n", rows[i].name);
		set_up(&fresh);
		f = fresh;
		fold_at(f, &first, 0, 10);
		assert_int_equal(history_resume(f->history, 0, rows[i].begin, rows[i].end, NOW_MS),
				 rows[i].from);
		fold_at(f, &second, 0, 50);
		fold_at(f, &third, 0, 51);
		assert_int_equal(complete_since(f, "acme"), rows[i].since_ms);
		tear_down(&fresh);
	}
}

/* A topic that was made anew has other events under the same offsets. */
static void a_topic_that_ends_before_begins_anew(void **state) {
	struct fixture *f = *state;
	struct analytic_event begun = event_of(1, ANALYTIC_RECEIVE, 0),
			      ended = event_of(1, ANALYTIC_PROCESS_SUCCESS, 1);
	const struct history_query all = all_of("acme");

	fold_at(f, &begun, 0, 10);
	fold_at(f, &ended, 0, 11);
	assert_int_equal(history_resume(f->history, 0, 0, 12, NOW_MS), 12);
	assert_int_equal(history_resume(f->history, 0, 0, 11, NOW_MS), -EIO);
	assert_true(history_is_damaged(f->history));
	reopen(f);
	assert_int_equal(history_resume(f->history, 0, 0, 11, NOW_MS), 0);
	fold_at(f, &begun, 0, 0);
	assert_string_equal(found_events(f, &all), "WEBHOOK_EVENT_RECEIVE");
	assert_int_equal(complete_since(f, "acme"), -1);
}

/* Also before another event comes, and after another start. */
static void a_gap_at_the_end_is_told(void **state) {
	struct fixture *f = *state;
	struct analytic_event first = event_of(1, ANALYTIC_RECEIVE, 0),
			      second = event_of(2, ANALYTIC_RECEIVE, 9);

	fold_at(f, &first, 0, 10);
	assert_int_equal(history_resume(f->history, 0, 30, 30, NOW_MS + 7000), 30);
	assert_int_equal(history_settle(f->history), 0);
	assert_int_equal(history_commit(f->history), 0);
	assert_int_equal(complete_since(f, "acme"), 7000);
	reopen(f);
	assert_int_equal(history_resume(f->history, 0, 30, 30, NOW_MS + 8000), 30);
	assert_int_equal(history_settle(f->history), 0);
	fold_at(f, &second, 0, 30);
	assert_int_equal(complete_since(f, "acme"), 7000);
	print_message("another gap, before a clock that is behind\n");
	assert_int_equal(history_resume(f->history, 0, 50, 60, NOW_MS + 9000), 50);
	fold_at(f, &first, 0, 50);
	assert_int_equal(complete_since(f, "acme"), 7000);
}

static void a_topic_that_begins_late_is_told(void **state) {
	struct fixture *f = *state;
	struct analytic_event event = event_of(1, ANALYTIC_RECEIVE, 7);

	assert_int_equal(history_resume(f->history, 0, 1000, 2000, NOW_MS), 1000);
	fold_at(f, &event, 0, 1000);
	assert_int_equal(complete_since(f, "acme"), 7000);
}

static void prune(struct fixture *f, int64_t now_ms) {
	int r;

	while ((r = history_prune(f->history, now_ms)) == HISTORY_E_MORE)
		;
	assert_int_equal(r, 0);
}

static void what_is_old_leaves(void **state) {
	struct fixture *f = *state;
	struct analytic_event begun = event_of(1, ANALYTIC_RECEIVE, 0),
			      ended = event_of(1, ANALYTIC_PROCESS_SUCCESS, 100),
			      later = event_of(2, ANALYTIC_RECEIVE, 50);
	const struct history_query all = all_of("acme");

	fold(f, &begun);
	fold(f, &later);
	fold(f, &ended);
	prune(f, NOW_MS + f->settings.retention_ms);
	assert_string_equal(found(f, &all), "2 1");
	prune(f, NOW_MS + f->settings.retention_ms + 1);
	assert_string_equal(found_events(f, &all),
			    "WEBHOOK_EVENT_PROCESS_SUCCESS WEBHOOK_EVENT_RECEIVE");
	assert_in_range(complete_since(f, "acme"), 1, 1000);
	print_message("a delivery stays as long as one of its events\n");
	assert_string_equal(found(f, &all), "2 1");
	prune(f, NOW_MS + f->settings.retention_ms + 50001);
	assert_string_equal(found(f, &all), "1");
	prune(f, NOW_MS + f->settings.retention_ms + 100001);
	assert_string_equal(found(f, &all), "");
	assert_string_equal(found_events(f, &all), "");
	print_message("an event that is older is passed over\n");
	assert_int_equal(
	    history_fold(f->history, &begun, 0, 9, NOW_MS + f->settings.retention_ms + 1000), 0);
	assert_int_equal(history_commit(f->history), 0);
	assert_string_equal(found(f, &all), "");
}

static void its_size_is_bounded(void **state) {
	enum { DELIVERIES = 20000 };
	struct fixture *f = *state;
	struct history_query newest = all_of("acme");

	f->settings.bytes_max = 2 * 1024 * 1024;
	reopen(f);
	for (int i = 0; i < DELIVERIES; i++) {
		fold_one_of_many(f, i);
		if (i % 1000 == 0)
			prune(f, NOW_MS + i * INT64_C(1000));
	}
	prune(f, NOW_MS + DELIVERIES * INT64_C(1000));
	assert_in_range(history_bytes(f->history), 500 * 1024, f->settings.bytes_max);
	newest.limit = 1;
	assert_string_equal(found(f, &newest), "1+");
	assert_in_range(complete_since(f, "acme"), 1000 * INT64_C(1000),
			DELIVERIES * INT64_C(1000));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_committed_is_folded_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_second_gateway_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_of_one_topic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_made_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_that_a_query_meets_is_noticed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_now_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_without_a_table_is_made_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_row_that_is_refused_ends_folding, set_up,
						tear_down),
		cmocka_unit_test(a_gap_is_told),
		cmocka_unit_test_setup_teardown(a_topic_that_ends_before_begins_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_gap_at_the_end_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_topic_that_begins_late_is_told, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_old_leaves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(its_size_is_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
