/* A portion: what was folded goes into the replica, here or aside, and the same rows come of it. */
#include "pipeline/portion.h"
#include "replica_fixture.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SOURCE = 7, PARTITION = 3, RECORDS = 2000 /* several batches, and one that is not full */ };

struct stand {
	struct fixture *fixture;
	struct pipeline_metrics metrics;
	struct fold *read;
	struct portion portion;
};

static struct stand *stand_of(void **state) {
	struct stand *s = x_calloc(1, sizeof(*s));

	s->fixture = *state;
	s->read = fold_new();
	portion_init(&s->portion, s->fixture->codec, &s->metrics, eventfd(0, EFD_CLOEXEC));
	s->portion.replica = s->fixture->replica;
	portion_add_source(&s->portion, SOURCE, PARTITION);
	return s;
}

static void stand_end(struct stand *s) {
	close(s->portion.wake_fd);
	portion_destroy(&s->portion);
	fold_free(s->read);
	free(s);
}

static void read_record(struct stand *s, uint32_t source, const struct state_record *record) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(SIZE_MAX);
	struct state_key key = state_record_key(record);
	const char *text = state_key_format(s->fixture->arena, &key);

	codec_encode_state(s->fixture->codec, record, &value);
	fold_put(s->read, source, text, strlen(text), value.data, value.len);
}

static void read_many(struct stand *s) {
	for (uint32_t n = 0; n < RECORDS; n++) {
		struct state_record record = delivery_of(n, n % 5, DELIVERY_PENDING, n);

		read_record(s, SOURCE, &record);
	}
	portion_take(&s->portion, &s->read);
}

static const char *write_here(struct stand *s, int64_t deadline_ms) {
	int more;

	do {
		assert_int_equal(replica_begin(s->fixture->replica), 0);
		more = portion_write(&s->portion, deadline_ms);
		assert_true(more >= 0);
		assert_int_equal(replica_commit(s->fixture->replica), 0);
	} while (more);
	return dump_text(s->fixture, s->fixture->replica);
}

/* Waits to be told that the thread has ended. */
static const char *write_aside(struct stand *s) {
	eventfd_t times;

	assert_true(portion_write_aside(&s->portion));
	assert_int_equal(eventfd_read(s->portion.wake_fd, &times), 0);
	assert_false(portion_is_busy(&s->portion));
	assert_int_equal(portion_settle(&s->portion), 0);
	return dump_text(s->fixture, s->fixture->replica);
}

static void test_here_and_aside_are_the_same(void **state) {
	struct stand *s = stand_of(state);
	const char *whole, *sliced, *aside;

	read_many(s);
	whole = write_here(s, INT64_MAX);
	assert_int_equal(dump_count(s->fixture, s->fixture->replica), RECORDS);
	assert_int_equal(s->metrics.restored_records, RECORDS);
	assert_int_equal(replica_drop_partition(s->fixture->replica, PARTITION), 0);
	read_many(s);
	sliced = write_here(s, 0); /* always past: a batch at a time */
	assert_string_equal(sliced, whole);
	assert_int_equal(replica_drop_partition(s->fixture->replica, PARTITION), 0);
	read_many(s);
	aside = write_aside(s);
	assert_string_equal(aside, whole);
	assert_true(portion_is_empty(&s->portion));
	assert_int_equal(fold_bytes(s->portion.fold), 0);
	assert_int_equal(s->metrics.restored_records, 3 * RECORDS);
	stand_end(s);
}

static void test_what_belongs_nowhere_is_not_written(void **state) {
	struct stand *s = stand_of(state);

	for (uint32_t n = 0; n < RECORDS; n++) {
		struct state_record record = delivery_of(n, 1, DELIVERY_PENDING, n);

		read_record(s, SOURCE + 1, &record);
	}
	portion_take(&s->portion, &s->read);
	assert_string_equal(write_aside(s), "");
	assert_true(portion_is_empty(&s->portion));
	stand_end(s);
}

static void test_a_source_is_torn_by_what_cannot_be_decoded(void **state) {
	struct stand *s = stand_of(state);

	fold_put(s->read, SOURCE, "delivery/", 9, "x", 1); /* the first of all keys */
	portion_add_source(&s->portion, SOURCE + 1, PARTITION + 1);
	for (uint32_t n = 0; n < RECORDS; n++) {
		struct state_record record = delivery_of(n, 1, DELIVERY_PENDING, n);

		read_record(s, SOURCE + n % 2, &record);
	}
	portion_take(&s->portion, &s->read);
	write_aside(s);
	assert_string_equal(s->portion.sources[0].torn, "a changelog record cannot be decoded");
	assert_null(s->portion.sources[1].torn);
	assert_int_equal(dump_count(s->fixture, s->fixture->replica), RECORDS / 2);
	stand_end(s);
}

/* A transaction that is open already, as the replica sees it: the thread's cannot begin. */
static void test_an_error_of_the_replica_is_told(void **state) {
	struct stand *s = stand_of(state);

	read_many(s);
	assert_int_equal(replica_begin(s->fixture->replica), 0);
	assert_true(portion_write_aside(&s->portion));
	assert_int_equal(portion_settle(&s->portion), -EIO);
	assert_true(portion_is_empty(&s->portion));
	replica_rollback(s->fixture->replica);
	stand_end(s);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_here_and_aside_are_the_same, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_what_belongs_nowhere_is_not_written,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_source_is_torn_by_what_cannot_be_decoded,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_an_error_of_the_replica_is_told, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
