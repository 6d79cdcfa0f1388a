/* A follower's way from the topic's past to what comes. Kafka is a list of messages here. */
#include "base/clock.h"
#include "gateway/follower.h"
#include "kafka/reader_places.h"
#include "unit.h"

#include <poll.h>
#include <stdatomic.h>

enum { PARTITIONS = 2, WAIT_MS = 10 * 1000 };

/* Of the topic, when it is opened. */
static const int64_t ends[PARTITIONS] = { 2, 1 };

/* Events of partition 0 come while partition 1 is not read yet. */
static rd_kafka_message_t messages[] = {
	{ .partition = 0, .offset = 0 }, { .partition = 0, .offset = 1 },
	{ .partition = 0, .offset = 2 }, { .partition = 0, .offset = 3 },
	{ .partition = 1, .offset = 0 }, { .partition = 1, .offset = 1 },
	{ .partition = 0, .offset = 4 },
};
static size_t polled;

static int64_t next[PARTITIONS];
static atomic_size_t received;
static size_t caught_up_after; /* records; 0: not yet */

/* --- A reader without a broker --- */

enum admin_status __wrap_reader_open(const struct config *config,
				     const struct reader_options *options, struct reader **out);
enum admin_status __wrap_reader_open(const struct config *config _unused_,
				     const struct reader_options *options _unused_,
				     struct reader **out) {
	struct reader *reader = x_calloc(1, sizeof(*reader));

	reader->places = x_calloc(PARTITIONS, sizeof(*reader->places));
	reader->partition_count = reader->unreached = PARTITIONS;
	for (int i = 0; i < PARTITIONS; i++)
		reader->places[i].end = ends[i];
	*out = reader;
	return ADMIN_OK;
}

void __wrap_reader_close(struct reader *reader);
void __wrap_reader_close(struct reader *reader) {
	free(reader->places);
	free(reader);
}

bool __wrap_reader_login_is_refused(struct reader *reader);
bool __wrap_reader_login_is_refused(struct reader *reader _unused_) {
	return false;
}

bool __wrap_reader_is_unanswered(const struct reader *reader);
bool __wrap_reader_is_unanswered(const struct reader *reader _unused_) {
	return false;
}

rd_kafka_message_t *__wrap_rd_kafka_consumer_poll(rd_kafka_t *rk, int timeout_ms);
rd_kafka_message_t *__wrap_rd_kafka_consumer_poll(rd_kafka_t *rk _unused_, int timeout_ms) {
	if (polled < ARRAY_LEN(messages))
		return &messages[polled++];
	poll(NULL, 0, timeout_ms);
	return NULL;
}

void __wrap_rd_kafka_message_destroy(rd_kafka_message_t *message);
void __wrap_rd_kafka_message_destroy(rd_kafka_message_t *message _unused_) {
}

int64_t __wrap_rd_kafka_message_timestamp(const rd_kafka_message_t *message,
					  rd_kafka_timestamp_type_t *type);
int64_t __wrap_rd_kafka_message_timestamp(const rd_kafka_message_t *message _unused_,
					  rd_kafka_timestamp_type_t *type _unused_) {
	return -1;
}

/* --- What the follower tells --- */

static void on_record(void *userdata _unused_, const struct record *record) {
	if (record->offset == next[record->partition])
		next[record->partition]++;
	atomic_fetch_add(&received, 1);
}

static void on_tick(void *userdata _unused_, bool caught_up) {
	if (caught_up && !caught_up_after)
		caught_up_after = atomic_load(&received);
}

static void nothing_is_passed_over_on_the_way(void **state _unused_) {
	const struct config config = { 0 };
	const struct follower_options options = { .topic = TOPIC_RESULTS,
						  .start = READER_FROM_BEGINNING,
						  .on_record = on_record,
						  .on_tick = on_tick };
	int64_t deadline_ms = clock_monotonic_ms() + WAIT_MS;
	struct follower *follower;

	assert_int_equal(follower_start(&config, &options, &follower), ADMIN_OK);
	while (atomic_load(&received) < ARRAY_LEN(messages) && clock_monotonic_ms() < deadline_ms)
		poll(NULL, 0, 1);
	follower_stop(follower);
	assert_int_equal(received, ARRAY_LEN(messages));
	assert_int_equal(next[0], 5);
	assert_int_equal(next[1], 2);
	print_message("it has caught up with the first of partition 1, and not before\n");
	assert_int_equal(caught_up_after, 5);
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_passed_over_on_the_way) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
