/* The history's life in the gateway: what fails is mended, and nobody waits for that. Kafka is a
 * list of events here, which a follower reads at once when it is started. */
#include "base/clock.h"
#include "gateway/follower.h"
#include "gateway/history_follower.h"
#include "history_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <time.h>

enum { TOPIC_MAX = 8, TIMEOUT_MS = 1000, WAIT_S = 5, VALUE_MAX = 4096 };

static struct analytic_event topic[TOPIC_MAX];
static int64_t topic_begin, topic_end;
static struct codec *codec;
static bool has_lost_its_place, is_damaged;
static void (*while_started)(void); /* called by the next start, before it reads; NULL: nothing */
static struct history_follower *follower;
static struct config config;

/* --- The follower of the topic --- */

struct follower {
	struct follower_options options;
};

static void read_one(const struct follower_options *options, int64_t offset) {
	_cleanup_(buffer_destroy) struct buffer value = BUFFER_INIT(VALUE_MAX);

	codec_encode_event(codec, &topic[offset], &value);
	options->on_record(
	    options->userdata,
	    &(struct record){ .value = value.data, .len = value.len, .offset = offset });
}

enum admin_status __wrap_follower_start(const struct config *config_,
					const struct follower_options *options,
					struct follower **out);
enum admin_status __wrap_follower_start(const struct config *config_ _unused_,
					const struct follower_options *options,
					struct follower **out) {
	int64_t next = options->resume(
	    options->userdata, &(struct reader_extent){ "cluster", 0, topic_begin, topic_end });

	void (*hook)(void) = while_started;

	while_started = NULL;
	if (next < 0)
		return ADMIN_NO_OUTCOME;
	*out = x_calloc(1, sizeof(**out));
	(*out)->options = *options;
	has_lost_its_place = is_damaged = false;
	if (hook)
		hook();
	while (next < topic_end)
		read_one(options, next++);
	options->on_tick(options->userdata, true);
	return ADMIN_OK;
}

void __wrap_follower_stop(struct follower *stopped);
void __wrap_follower_stop(struct follower *stopped) {
	free(stopped);
}

bool __wrap_follower_has_lost_its_place(const struct follower *followed);
bool __wrap_follower_has_lost_its_place(const struct follower *followed _unused_) {
	return has_lost_its_place;
}

bool __wrap_follower_is_failing(const struct follower *followed);
bool __wrap_follower_is_failing(const struct follower *followed _unused_) {
	return false;
}

bool __real_history_is_damaged(const struct history *history);
bool __wrap_history_is_damaged(const struct history *history);
bool __wrap_history_is_damaged(const struct history *history) {
	return is_damaged || __real_history_is_damaged(history);
}

/* --- The tests' own --- */

static int begin(void **state) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(VALUE_MAX);
	struct fixture *f;

	set_up(state);
	f = *state;
	history_closep(&f->history);
	f->history = NULL;
	config = (struct config){ .gateway_data_dir = f->folder,
				  .history_retention_ms = INT64_C(100) * 365 * 86400 * 1000,
				  .history_max_bytes = INT64_C(1) << 40 };
	topic_begin = topic_end = 0;
	while_started = NULL;
	assert_int_equal(codec_new(NULL, &codec, &problems), 0);
	assert_int_equal(history_follower_open(&config, &follower), ADMIN_OK);
	return 0;
}

static int end(void **state) {
	history_follower_stopp(&follower);
	codec_freep(&codec);
	return tear_down(state);
}

/* Delivery `number`, which is recorded at the topic's end. */
static void produce(uint8_t number) {
	topic[topic_end++] = event_of(number, ANALYTIC_RECEIVE, number);
}

/* The deliveries that a query finds now, or "none" where it is answered with a 503. */
static const char *answer(struct fixture *f) {
	const struct history_query all = all_of("acme");
	const char *numbers = "none";

	f->history = history_follower_borrow(follower);
	if (f->history) {
		numbers = found(f, &all);
		history_follower_return(follower);
	}
	f->history = NULL;
	return numbers;
}

/* The next fold fails, and the file is made anew when it is opened. */
static void drop_a_table(void) {
	_cleanup_(x_freep) char *path = x_asprintf("%s/history.db", config.gateway_data_dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE event", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* As the gateway does, which waits between two tries. */
static void mend_until_it_works(void) {
	int64_t deadline_ms = clock_monotonic_ms() + WAIT_S * INT64_C(1000);

	while (history_follower_is_failing(follower) && clock_monotonic_ms() < deadline_ms) {
		poll(NULL, 0, 10);
		history_follower_mend(follower);
	}
}

/* Also where its thread folds before the start has returned. */
static void what_comes_while_it_is_mended_is_kept(void **state) {
	struct fixture *f = *state;

	produce(1);
	assert_int_equal(history_follower_start(follower, TIMEOUT_MS), ADMIN_OK);
	assert_string_equal(answer(f), "1");
	produce(2);
	is_damaged = true;
	history_follower_mend(follower);
	assert_false(history_follower_is_failing(follower));
	assert_string_equal(answer(f), "2 1");
}

/* A failure while it is started again is not forgotten when the start returns. */
static void what_fails_again_is_mended_again(void **state) {
	struct fixture *f = *state;

	produce(1);
	assert_int_equal(history_follower_start(follower, TIMEOUT_MS), ADMIN_OK);
	produce(2);
	is_damaged = true;
	while_started = drop_a_table;
	history_follower_mend(follower);
	assert_true(history_follower_is_failing(follower));
	assert_string_equal(answer(f), "none");
	mend_until_it_works();
	assert_string_equal(answer(f), "2 1");
}

static void a_lost_place_is_told(void **state) {
	struct fixture *f = *state;

	produce(1);
	assert_int_equal(history_follower_start(follower, TIMEOUT_MS), ADMIN_OK);
	assert_string_equal(answer(f), "1");
	produce(2);
	produce(3);
	topic_begin = 2;
	has_lost_its_place = true;
	history_follower_mend(follower);
	assert_string_equal(answer(f), "3 1");
	f->history = history_follower_borrow(follower);
	assert_int_equal(complete_since(f, "acme"), 3000);
	f->history = NULL;
	history_follower_return(follower);
}

static void *ask(void *userdata) {
	const char **numbers = userdata;
	struct history *history = history_follower_borrow(follower);

	*numbers = history ? "some" : "none";
	if (history)
		history_follower_return(follower);
	return NULL;
}

/* Asks on a thread of its own, as a server does. */
static void assert_answered_at_once(const char *expected) {
	struct timespec deadline;
	const char *numbers = NULL;
	pthread_t thread;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WAIT_S;
	assert_int_equal(pthread_create(&thread, NULL, ask, &numbers), 0);
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &deadline), 0);
	assert_string_equal(numbers, expected);
}

static void ask_while_started(void) {
	assert_answered_at_once("none");
	assert_true(history_follower_is_failing(follower));
}

static void no_query_waits_for_mending(void **state _unused_) {
	assert_int_equal(history_follower_start(follower, TIMEOUT_MS), ADMIN_OK);
	assert_answered_at_once("some");
	is_damaged = true;
	while_started = ask_while_started;
	history_follower_mend(follower);
	assert_null(while_started);
	assert_answered_at_once("some");
}

static void *mend_once(void *userdata _unused_) {
	history_follower_mend(follower);
	return NULL;
}

/* The one that runs ends first; none begins meanwhile, so that mending does not starve. */
static void mending_waits_for_no_query_but_those_that_run(void **state _unused_) {
	int64_t deadline_ms = clock_monotonic_ms() + WAIT_S * INT64_C(1000);
	pthread_t thread;

	assert_int_equal(history_follower_start(follower, TIMEOUT_MS), ADMIN_OK);
	assert_non_null(history_follower_borrow(follower));
	is_damaged = true;
	assert_int_equal(pthread_create(&thread, NULL, mend_once, NULL), 0);
	while (!history_follower_is_failing(follower) && clock_monotonic_ms() < deadline_ms)
		sched_yield();
	assert_answered_at_once("none");
	history_follower_return(follower);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_answered_at_once("some");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(what_comes_while_it_is_mended_is_kept),
		TEST(what_fails_again_is_mended_again),
		TEST(a_lost_place_is_told),
		TEST(no_query_waits_for_mending),
		TEST(mending_waits_for_no_query_but_those_that_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
