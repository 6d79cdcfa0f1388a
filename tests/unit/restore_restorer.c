/* The restorer, with librdkafka's mock brokers for the changelog and a replica in a folder. */
#include "base/clock.h"
#include "replica_fixture.h"
#include "restore/restorer.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PARTITIONS = 2, DEADLINE_MS = 60 * 1000, STEP_MS = 20, WAIT_MS = 100 };

struct stand {
	struct fixture *fixture;
	rd_kafka_t *producer; /* has the mock brokers */
	rd_kafka_topic_t *changelog;
	struct config config;
	struct kafka_property bootstrap;
	struct topics topics;
	struct restore_metrics metrics;
	struct restore_gauges gauges[PARTITIONS];
	struct restorer *restorer;
	struct position known[PARTITIONS]; /* the last one of each partition */
	int wake_fd;
};

static rd_kafka_t *producer_with_brokers(void) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];
	rd_kafka_t *producer;

	assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)),
			 RD_KAFKA_CONF_OK);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(producer);
	return producer;
}

static int set_up(void **state) {
	static char worker_id[] = "worker-1", group_id[] = "group",
		    bootstrap[] = "bootstrap.servers";
	struct stand *s = x_calloc(1, sizeof(*s));
	rd_kafka_mock_cluster_t *brokers;

	if (fixture_setup((void **)&s->fixture) < 0)
		return -1;
	s->producer = producer_with_brokers();
	brokers = rd_kafka_handle_mock_cluster(s->producer);
	topics_init(&s->topics, NULL);
	assert_int_equal(rd_kafka_mock_topic_create(brokers, s->topics.state, PARTITIONS, 1), 0);
	s->changelog = rd_kafka_topic_new(s->producer, s->topics.state, NULL);
	s->bootstrap =
	    (struct kafka_property){ bootstrap,
				     x_strdup(rd_kafka_mock_cluster_bootstraps(brokers)) };
	s->config = (struct config){ .kafka = &s->bootstrap,
				     .kafka_count = 1,
				     .worker_id = worker_id,
				     .group_id = group_id };
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*state = s;
	return 0;
}

static int tear_down(void **state) {
	struct stand *s = *state;

	restorer_free(s->restorer);
	rd_kafka_topic_destroy(s->changelog);
	rd_kafka_destroy(s->producer);
	topics_destroy(&s->topics);
	free(s->bootstrap.value);
	close(s->wake_fd);
	fixture_teardown((void **)&s->fixture);
	free(s);
	return 0;
}

/* The changelog. */

static void append(struct stand *s, int32_t partition, const char *key, const void *value,
		   size_t len) {
	assert_int_equal(rd_kafka_produce(s->changelog, partition, RD_KAFKA_MSG_F_COPY,
					  (void *)(uintptr_t)value, len, key, strlen(key), NULL),
			 0);
	assert_int_equal(rd_kafka_flush(s->producer, DEADLINE_MS), 0);
}

static void append_record(struct stand *s, int32_t partition, struct state_record record) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(64 * 1024);
	struct state_key key = state_record_key(&record);

	codec_encode_state(s->fixture->codec, &record, &value);
	append(s, partition, state_key_format(s->fixture->arena, &key), value.data, value.len);
}

static void append_tombstone(struct stand *s, int32_t partition, struct state_record record) {
	struct state_key key = state_record_key(&record);

	append(s, partition, state_key_format(s->fixture->arena, &key), NULL, 0);
}

static void append_position(struct stand *s, int32_t partition, int64_t sequence,
			    int32_t record_count) {
	struct state_record record = position_of(sequence);

	record.position.record_count = record_count;
	append_record(s, partition, record);
}

/* Deliveries `first` to `last`, and their position. */
static void append_transaction(struct stand *s, int32_t partition, int64_t sequence, uint32_t first,
			       uint32_t last) {
	for (uint32_t n = first; n <= last; n++)
		append_record(s, partition, delivery_of(n, 1, DELIVERY_PENDING, n));
	append_position(s, partition, sequence, (int32_t)(last - first + 1));
}

/* The restorer. */

static void make_restorer(struct stand *s) {
	struct restorer_settings settings = { .config = &s->config,
					      .topics = &s->topics,
					      .codec = s->fixture->codec,
					      .metrics = &s->metrics,
					      .wake_fd = s->wake_fd };

	restorer_free(s->restorer);
	s->restorer = restorer_new(&settings);
	restorer_set_replica(s->restorer, s->fixture->replica);
}

static void begin(struct stand *s, int32_t partition) {
	struct restore_request request = { .partition = partition,
					   .known = &s->known[partition],
					   .gauges = &s->gauges[partition] };

	if (!s->restorer)
		make_restorer(s);
	assert_int_equal(restorer_add(s->restorer, &request), 0);
	assert_true(restorer_has(s->restorer, partition));
}

static void wait_for_wake(struct stand *s) {
	struct pollfd pollfd = { .fd = s->wake_fd, .events = POLLIN };
	eventfd_t count;

	if (poll(&pollfd, 1, WAIT_MS) > 0)
		assert_int_equal(eventfd_read(s->wake_fd, &count), 0);
}

static struct restore_result end_of(struct stand *s) {
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
	struct restore_result result;

	while (!restorer_take_ended(s->restorer, &result)) {
		int r = restorer_step(s->restorer, STEP_MS);

		assert_true(r >= 0);
		assert_true(clock_monotonic_ms() < deadline_ms);
		if (r == 0)
			wait_for_wake(s);
	}
	assert_false(restorer_has(s->restorer, result.partition));
	s->known[result.partition] = result.position;
	return result;
}

static struct restore_result restore_one(struct stand *s, int32_t partition) {
	begin(s, partition);
	return end_of(s);
}

static size_t rows(struct stand *s) {
	return dump_count(s->fixture, s->fixture->replica);
}

/* An empty replica in place of the one there is. */
static void empty_replica(struct stand *s) {
	restorer_free(TAKE(s->restorer));
	replica_discard(TAKE(s->fixture->replica));
	fixture_open(s->fixture);
}

static void an_empty_changelog_is_restored_at_once(void **state) {
	struct stand *s = *state;
	struct restore_result result = restore_one(s, 0);

	assert_int_equal(result.end, RESTORE_END_MOVED);
	assert_int_equal(result.position.sequence, 0);
	assert_int_equal(result.position_offset, -1);
	assert_int_equal(rows(s), 0);
}

static void an_empty_replica_gets_every_key(void **state) {
	struct stand *s = *state;
	struct restore_result result;

	append_transaction(s, 0, 1, 1, 3);
	append_tombstone(s, 0, delivery_of(2, 1, DELIVERY_PENDING, 2));
	append_position(s, 0, 2, 1);
	result = restore_one(s, 0);
	assert_int_equal(result.end, RESTORE_END_MOVED);
	assert_int_equal(result.partition, 0);
	assert_int_equal(result.position.sequence, 2);
	assert_int_equal(result.position_offset, 5);
	assert_null(result.position.member_id);
	assert_int_equal(rows(s), 3); /* two deliveries, a position */
	assert_int_equal(s->gauges[0].offset, 6);
	assert_int_equal(s->gauges[0].target, 6);
}

static void a_changelog_that_has_not_moved_is_unmoved(void **state) {
	struct stand *s = *state;

	append_transaction(s, 0, 1, 1, 3);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_MOVED);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_UNMOVED);
	assert_int_equal(rows(s), 4);
}

static void what_is_new_is_added(void **state) {
	struct stand *s = *state;
	struct restore_result result;
	const char *in_two_steps;

	append_transaction(s, 0, 1, 1, 3);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_MOVED);
	append_transaction(s, 0, 2, 2, 5);
	result = restore_one(s, 0);
	assert_int_equal(result.end, RESTORE_END_MOVED);
	assert_int_equal(result.position.sequence, 2);
	assert_int_equal(rows(s), 6);
	in_two_steps = dump_text(s->fixture, s->fixture->replica);
	empty_replica(s);
	restore_one(s, 0);
	assert_string_equal(dump_text(s->fixture, s->fixture->replica), in_two_steps);
}

static void partitions_are_restored_together(void **state) {
	struct stand *s = *state;
	struct restore_result first, second;

	append_transaction(s, 0, 1, 1, 3);
	append_transaction(s, 1, 7, 4, 9);
	begin(s, 0);
	begin(s, 1);
	first = end_of(s);
	second = end_of(s);
	assert_int_equal(first.partition + second.partition, 1);
	assert_int_equal(s->known[0].sequence, 1);
	assert_int_equal(s->known[1].sequence, 7);
	assert_int_equal(rows(s), 11);
}

static void another_changelog_replaces_the_rows(void **state) {
	struct stand *s = *state;
	struct state_record stranger = position_of(1);

	put(s->fixture, 0, delivery_of(90, 1, DELIVERY_PENDING, 1));
	stranger.position.store_id = uuid_of(99);
	put(s->fixture, 0, stranger);
	assert_int_equal(replica_offset_set(s->fixture->replica, 0, 4, clock_wall_ms()), 0);
	append_transaction(s, 0, 1, 1, 3);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_MOVED);
	assert_int_equal(s->known[0].sequence, 1);
	assert_int_equal(rows(s), 4);
}

static void a_changelog_that_was_made_again_replaces_the_rows(void **state) {
	struct stand *s = *state;

	put(s->fixture, 0, delivery_of(90, 1, DELIVERY_PENDING, 1));
	put(s->fixture, 0, position_of(40));
	assert_int_equal(replica_offset_set(s->fixture->replica, 0, 400, clock_wall_ms()), 0);
	append_transaction(s, 0, 1, 1, 3);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_MOVED);
	assert_int_equal(rows(s), 4);
}

static void a_torn_history_ends_it(void **state) {
	struct stand *s = *state;

	append_record(s, 0, delivery_of(1, 1, DELIVERY_PENDING, 1));
	append_transaction(s, 0, 1, 2, 2);
	append_position(s, 0, 1, 0);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_TORN);
}

/* Nobody is told that the webhooks of these deliveries are gone. */
static void an_import_that_is_not_finished_ends_it(void **state) {
	struct stand *s = *state;

	append_record(s, 0, delivery_of(1, 1, DELIVERY_PENDING, 1));
	append_transaction(s, 1, 1, 1, 3);
	begin(s, 0);
	begin(s, 1);
	for (int i = 0; i < PARTITIONS; i++) {
		struct restore_result result = end_of(s);

		assert_int_equal(result.end,
				 result.partition == 0 ? RESTORE_END_TORN : RESTORE_END_MOVED);
	}
}

static void a_record_that_cannot_be_decoded_ends_it(void **state) {
	struct stand *s = *state;

	append(s, 0, "delivery/garbled", "x", 1);
	append_position(s, 0, 1, 1);
	append_transaction(s, 1, 1, 1, 3);
	begin(s, 0);
	begin(s, 1);
	for (int i = 0; i < PARTITIONS; i++) {
		struct restore_result result = end_of(s);

		assert_int_equal(result.end,
				 result.partition == 0 ? RESTORE_END_TORN : RESTORE_END_MOVED);
	}
}

static void a_restore_that_was_given_up_begins_again(void **state) {
	struct stand *s = *state;

	append_transaction(s, 0, 1, 1, 3);
	begin(s, 0);
	assert_true(restorer_step(s->restorer, STEP_MS) >= 0);
	restorer_remove(s->restorer, 0);
	assert_false(restorer_has(s->restorer, 0));
	assert_int_equal(restorer_step(s->restorer, STEP_MS), 0);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_MOVED);
	assert_int_equal(rows(s), 4);
}

/* It has ended, and the partition is revoked before the result was taken. */
static void a_result_that_was_not_taken_is_given_up(void **state) {
	struct stand *s = *state;
	int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
	struct restore_result result;

	append_transaction(s, 0, 1, 1, 3);
	begin(s, 0);
	while (rows(s) < 4 && clock_monotonic_ms() < deadline_ms)
		if (restorer_step(s->restorer, STEP_MS) == 0)
			wait_for_wake(s);
	while (restorer_step(s->restorer, STEP_MS) > 0)
		;
	assert_true(restorer_has(s->restorer, 0));
	restorer_remove(s->restorer, 0);
	assert_false(restorer_has(s->restorer, 0));
	assert_false(restorer_take_ended(s->restorer, &result));
}

/* So many that the file is filled without its journal; the mock brokers keep five MiB. */
static void a_large_changelog_fills_a_new_file(void **state) {
	enum { RECORDS = 6500 };
	struct stand *s = *state;

	for (uint32_t n = 1; n <= RECORDS; n++) {
		_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(64 * 1024);
		struct state_record record = delivery_of(n, n % 9, DELIVERY_PENDING, n);
		struct state_key key = state_record_key(&record);
		const char *text = state_key_format(s->fixture->arena, &key);

		codec_encode_state(s->fixture->codec, &record, &value);
		while (rd_kafka_produce(s->changelog, 0, RD_KAFKA_MSG_F_COPY, value.data, value.len,
					text, strlen(text), NULL))
			rd_kafka_poll(s->producer, WAIT_MS);
	}
	append_position(s, 0, 1, RECORDS);
	assert_int_equal(restore_one(s, 0).end, RESTORE_END_MOVED);
	assert_int_equal(rows(s), RECORDS + 1);
	assert_int_equal(s->metrics.records, RECORDS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(an_empty_changelog_is_restored_at_once),
		TEST(an_empty_replica_gets_every_key),
		TEST(a_changelog_that_has_not_moved_is_unmoved),
		TEST(what_is_new_is_added),
		TEST(partitions_are_restored_together),
		TEST(another_changelog_replaces_the_rows),
		TEST(a_changelog_that_was_made_again_replaces_the_rows),
		TEST(a_torn_history_ends_it),
		TEST(an_import_that_is_not_finished_ends_it),
		TEST(a_record_that_cannot_be_decoded_ends_it),
		TEST(a_restore_that_was_given_up_begins_again),
		TEST(a_result_that_was_not_taken_is_given_up),
		TEST(a_large_changelog_fills_a_new_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
