/* A batch: a fold goes into the replica, in slices or in the background, and the rows are the same.
 */
#include "replica_fixture.h"
#include "restore/batch.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SOURCE = 7, PARTITION = 3, RECORDS = 2000 /* several chunks, and one that is not full */ };

struct stand {
	struct fixture *fixture;
	struct restore_metrics metrics;
	struct fold *read;
	struct batch batch;
};

static struct stand *stand_of(void **state) {
	struct stand *s = x_calloc(1, sizeof(*s));

	s->fixture = *state;
	s->read = fold_new();
	batch_init(&s->batch, s->fixture->codec, &s->metrics, eventfd(0, EFD_CLOEXEC));
	s->batch.replica = s->fixture->replica;
	batch_add_source(&s->batch, SOURCE, PARTITION);
	return s;
}

static void stand_end(struct stand *s) {
	close(s->batch.wake_fd);
	batch_destroy(&s->batch);
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
	batch_take_fold(&s->batch, &s->read);
}

static const char *write_here(struct stand *s, int64_t deadline_ms) {
	int more;

	do {
		assert_int_equal(replica_begin(s->fixture->replica), 0);
		more = batch_write(&s->batch, deadline_ms);
		assert_true(more >= 0);
		assert_int_equal(replica_commit(s->fixture->replica), 0);
	} while (more);
	return dump_text(s->fixture, s->fixture->replica);
}

/* Waits until the thread has ended. */
static const char *write_background(struct stand *s) {
	eventfd_t times;

	assert_true(batch_write_background(&s->batch));
	assert_int_equal(eventfd_read(s->batch.wake_fd, &times), 0);
	assert_false(batch_is_busy(&s->batch));
	assert_int_equal(batch_wait(&s->batch), 0);
	return dump_text(s->fixture, s->fixture->replica);
}

static void slices_and_the_background_write_the_same(void **state) {
	struct stand *s = stand_of(state);
	const char *whole, *sliced, *background;

	read_many(s);
	whole = write_here(s, INT64_MAX);
	assert_int_equal(dump_count(s->fixture, s->fixture->replica), RECORDS);
	assert_int_equal(s->metrics.records, RECORDS);
	assert_int_equal(replica_drop_partition(s->fixture->replica, PARTITION), 0);
	read_many(s);
	sliced = write_here(s, 0); /* always past: a chunk at a time */
	assert_string_equal(sliced, whole);
	assert_int_equal(replica_drop_partition(s->fixture->replica, PARTITION), 0);
	read_many(s);
	background = write_background(s);
	assert_string_equal(background, whole);
	assert_true(batch_is_empty(&s->batch));
	assert_int_equal(fold_bytes(s->batch.fold), 0);
	assert_int_equal(s->metrics.records, 3 * RECORDS);
	stand_end(s);
}

static void a_source_without_a_name_is_not_written(void **state) {
	struct stand *s = stand_of(state);

	for (uint32_t n = 0; n < RECORDS; n++) {
		struct state_record record = delivery_of(n, 1, DELIVERY_PENDING, n);

		read_record(s, SOURCE + 1, &record);
	}
	batch_take_fold(&s->batch, &s->read);
	assert_string_equal(write_background(s), "");
	assert_true(batch_is_empty(&s->batch));
	stand_end(s);
}

static void a_record_that_cannot_be_decoded_tears_its_source(void **state) {
	struct stand *s = stand_of(state);

	fold_put(s->read, SOURCE, "delivery/", 9, "x", 1); /* the first of all keys */
	batch_add_source(&s->batch, SOURCE + 1, PARTITION + 1);
	for (uint32_t n = 0; n < RECORDS; n++) {
		struct state_record record = delivery_of(n, 1, DELIVERY_PENDING, n);

		read_record(s, SOURCE + n % 2, &record);
	}
	batch_take_fold(&s->batch, &s->read);
	write_background(s);
	assert_string_equal(s->batch.sources[0].torn, "a changelog record cannot be decoded");
	assert_null(s->batch.sources[1].torn);
	assert_int_equal(dump_count(s->fixture, s->fixture->replica), RECORDS / 2);
	stand_end(s);
}

/* A transaction that is open already, as the replica sees it: the thread's cannot begin. */
static void an_error_of_the_replica_is_returned(void **state) {
	struct stand *s = stand_of(state);

	read_many(s);
	assert_int_equal(replica_begin(s->fixture->replica), 0);
	assert_true(batch_write_background(&s->batch));
	assert_int_equal(batch_wait(&s->batch), -EIO);
	assert_true(batch_is_empty(&s->batch));
	replica_rollback(s->fixture->replica);
	stand_end(s);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(slices_and_the_background_write_the_same,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_source_without_a_name_is_not_written,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_record_that_cannot_be_decoded_tears_its_source,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(an_error_of_the_replica_is_returned, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
