/*
 * A place in the group, by librdkafka's mock brokers: what is told is news, and nothing is done
 * before it is followed.
 *
 * A mock group waits for other members: three seconds for the first ones, and a second less than
 * its session timeout for those that come later. So monotonic time has a step here that a test may
 * make, for librdkafka's threads too. Their pauses are as long as ever, so that heartbeats are not
 * more frequent: a test makes no step while it needs them.
 */
#include "base/clock.h"
#include "fake_engine.h"
#include "pipeline/membership.h"
#include "rdkafka/read_probe.h"
#include "unit.h"

#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	PARTITIONS = 2,
	DEADLINE_MS = 60 * 1000, /* of wall time, which has no steps */
	STEP_MS = 200,           /* every 5 ms, while one member joins */
	SILENCE_MS = 10 * 1000,  /* after which a topic is asked about */
	SMALL_STEP_MS = 50,      /* while two do: neither may come too late to be one of them */
};

static rd_kafka_mock_cluster_t *cluster;
static atomic_llong ahead_ms; /* of the machine's monotonic clock */

/* The linker puts this before the C library's. */
int clock_gettime(clockid_t clock, struct timespec *out) {
	int r = (int)syscall(SYS_clock_gettime, clock, out);
	long long ms = clock == CLOCK_MONOTONIC ? atomic_load(&ahead_ms) : 0;
	long ns = out->tv_nsec + (long)(ms % 1000) * 1000 * 1000;

	out->tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
	out->tv_nsec = ns % 1000000000;
	return r;
}

/* The brokers look at the time when they are asked something, if not before. */
static void step_time(int64_t ms) {
	atomic_fetch_add(&ahead_ms, ms);
	if (ms > 0)
		rd_kafka_mock_broker_set_rtt(cluster, 1, 0);
	poll(NULL, 0, 5);
}

struct member {
	struct kafka_property kafka[5];
	struct config config;
	struct topics topics;
	struct engine *engine;
	struct pipeline_metrics metrics;
	struct membership *membership;
	int wake_fd;
	int partitions; /* as followed */
};

static char names[][32] = {
	"test.mock.num.brokers", "bootstrap.servers", "heartbeat.interval.ms",
	"session.timeout.ms",    "fetch.wait.max.ms", "fetch.error.backoff.ms"
};

/*
 * A topic that is refused: the answer to a fetch has no end of the partition, and a probe hears of
 * it. A mock broker refuses no topic by itself.
 */
static bool is_refused;

rd_kafka_resp_err_t __wrap_rd_kafka_get_watermark_offsets(rd_kafka_t *client, const char *topic,
							  int32_t partition, int64_t *low,
							  int64_t *high);
rd_kafka_resp_err_t __wrap_read_probe_ask(struct read_probe *probe, const struct config *config,
					  const char *topic);

rd_kafka_resp_err_t __wrap_rd_kafka_get_watermark_offsets(rd_kafka_t *client _unused_,
							  const char *topic _unused_,
							  int32_t partition _unused_, int64_t *low,
							  int64_t *high) {
	*low = *high = is_refused ? -1 : 0;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t __wrap_read_probe_ask(struct read_probe *probe _unused_,
					  const struct config *config _unused_, const char *topic) {
	assert_string_equal(topic, "webhook-admin");
	return is_refused ? RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
			  : RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* With brokers of its own; or with another's, which `servers` names. */
static void member_init(struct member *m, char *id, char *servers) {
	static char one[] = "1", ten[] = "10", interval_ms[] = "100", session_ms[] = "10000",
		    group[] = "g";
	struct membership_settings settings = { .config = &m->config,
						.topics = &m->topics,
						.metrics = &m->metrics };

	*m = (struct member){ .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	m->kafka[0] = servers ? (struct kafka_property){ names[1], servers }
			      : (struct kafka_property){ names[0], one };
	m->kafka[1] = (struct kafka_property){ names[2], interval_ms };
	m->kafka[2] = (struct kafka_property){ names[3], session_ms };
	m->kafka[3] = (struct kafka_property){ names[4], ten };
	m->kafka[4] = (struct kafka_property){ names[5], ten };
	m->config = (struct config){
		.kafka = m->kafka, .kafka_count = 5, .group_id = group, .worker_id = id
	};
	topics_init(&m->topics, "");
	m->engine = settings.engine = fake_engine_new();
	settings.wake_fd = m->wake_fd;
	m->membership = membership_new(&settings);
	assert_int_equal(membership_open(m->membership), 0);
}

static void member_destroy(struct member *m) {
	membership_free(m->membership);
	engine_free(m->engine);
	topics_destroy(&m->topics);
	close(m->wake_fd);
}

static int setup(void **state) {
	static struct member m;
	static char id[] = "worker-1";

	member_init(&m, id, NULL);
	cluster = rd_kafka_handle_mock_cluster(membership_client(m.membership));
	rd_kafka_mock_topic_create(cluster, m.topics.admin, PARTITIONS, 1);
	rd_kafka_mock_topic_create(cluster, m.topics.issuance, PARTITIONS, 1);
	rd_kafka_mock_topic_create(cluster, m.topics.events, PARTITIONS, 1);
	*state = &m;
	return 0;
}

static int teardown(void **state) {
	member_destroy(*state);
	return 0;
}

/* Polls `m`, and meanwhile `other` too, until `m` has news. The caller frees them. */
static struct membership_news *wait_news(struct member *m, struct member *other, int64_t step_ms) {
	int64_t deadline_ms = clock_wall_ms() + DEADLINE_MS;

	while (!membership_has_news(m->membership)) {
		assert_true(clock_wall_ms() < deadline_ms);
		membership_poll(m->membership);
		if (other)
			membership_poll(other->membership);
		step_time(step_ms);
	}
	return membership_take_news(m->membership);
}

static void expect_all_assigned(struct member *m) {
	_cleanup_(membership_news_freep) struct membership_news *news = wait_news(m, NULL, STEP_MS);

	assert_int_equal(news->event, MEMBERSHIP_ASSIGNED);
	assert_int_equal(news->partitions->cnt, PARTITIONS * POSITION_INPUTS);
}

static void join(struct member *m) {
	assert_int_equal(membership_join(m->membership), 0);
	expect_all_assigned(m);
	assert_int_equal(membership_accept(m->membership), 0);
}

static void nothing_is_done_before_news_are_followed(void **state) {
	struct member *m = *state;

	assert_int_equal(membership_join(m->membership), 0);
	expect_all_assigned(m);
	assert_null(membership_group(m->membership));
	assert_false(membership_has_news(m->membership));
	assert_null(membership_take_news(m->membership));
	assert_int_equal(membership_accept(m->membership), 0);
	assert_non_null(membership_group(m->membership));
	assert_true(membership_generation(m->membership) >= 0);
	assert_true(m->engine->lease_until_us > clock_monotonic_us());
}

static void produce(struct member *m, int32_t partition, const char *value) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *producer;

	assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers",
					   rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0),
			 RD_KAFKA_CONF_OK);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(m->topics.admin),
			  RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY("k", 1),
			  RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
			  RD_KAFKA_V_END);
	assert_int_equal(rd_kafka_flush(producer, DEADLINE_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(producer);
}

static rd_kafka_message_t *wait_record(struct member *m) {
	int64_t deadline_ms = clock_wall_ms() + DEADLINE_MS;
	rd_kafka_message_t *message;

	while (!(message = membership_next(m->membership))) {
		assert_true(clock_wall_ms() < deadline_ms);
		membership_poll(m->membership);
		poll(NULL, 0, 5);
	}
	return message;
}

static void records_come_from_where_they_are_read(void **state) {
	struct member *m = *state;
	struct membership_read read = { m->topics.admin, 1, 1 };
	rd_kafka_message_t *message;

	produce(m, 1, "zero");
	produce(m, 1, "one");
	produce(m, 0, "other");
	print_message("without an assignment nothing is read\n");
	assert_int_equal(membership_read(m->membership, &read, 1), 0);
	join(m);
	assert_null(membership_next(m->membership));
	assert_int_equal(membership_read(m->membership, &read, 1), 0);
	print_message("the second of partition 1, and nothing of partition 0\n");
	message = wait_record(m);
	assert_int_equal(message->partition, 1);
	assert_int_equal(message->offset, 1);
	print_message("put back it comes once more\n");
	membership_put_back(m->membership, message);
	assert_ptr_equal(membership_next(m->membership), message);
	assert_null(membership_next(m->membership));
	rd_kafka_message_destroy(message);
	print_message("read again from the first\n");
	read.offset = 0;
	assert_int_equal(membership_read(m->membership, &read, 1), 0);
	message = wait_record(m);
	assert_int_equal(message->offset, 0);
	rd_kafka_message_destroy(message);
	print_message("given away there is none\n");
	membership_leave(m->membership);
	assert_null(membership_group(m->membership));
	assert_null(membership_next(m->membership));
}

static void wait_lost_input(struct member *m) {
	int64_t deadline_ms = clock_wall_ms() + DEADLINE_MS;

	while (!membership_has_news(m->membership)) {
		assert_true(clock_wall_ms() < deadline_ms);
		membership_poll(m->membership);
		assert_null(membership_next(m->membership));
		poll(NULL, 0, 5);
	}
}

/* The offset that a partition is to go on from is not there. Others are read meanwhile. */
static void an_input_that_is_lost(void **state) {
	struct member *m = *state;
	struct membership_read reads[] = { { m->topics.admin, 1, 1000 },
					   { m->topics.admin, 0, 0 } };
	struct membership_news *news;
	rd_kafka_message_t *message;

	produce(m, 1, "zero");
	join(m);
	assert_int_equal(membership_read(m->membership, reads, ARRAY_LEN(reads)), 0);
	wait_lost_input(m);
	produce(m, 0, "other");
	message = wait_record(m);
	assert_int_equal(message->partition, 0);
	rd_kafka_message_destroy(message);
	print_message("a new read forgets it, and is told again\n");
	assert_int_equal(membership_read(m->membership, reads, ARRAY_LEN(reads)), 0);
	assert_false(membership_has_news(m->membership));
	reads[1].offset = 1;
	assert_int_equal(membership_read(m->membership, reads, ARRAY_LEN(reads)), 0);
	wait_lost_input(m);
	news = membership_take_news(m->membership);
	assert_int_equal(news->event, MEMBERSHIP_INPUT_LOST);
	assert_string_equal(news->partitions->elems[0].topic, m->topics.admin);
	assert_int_equal(news->partitions->elems[0].partition, 1);
	membership_news_free(news);
}

static void follow(struct member *m) {
	struct membership_news *news;

	membership_poll(m->membership);
	while ((news = membership_take_news(m->membership))) {
		bool is_assigned = news->event == MEMBERSHIP_ASSIGNED;

		assert_true(is_assigned || news->event == MEMBERSHIP_REVOKED);
		m->partitions = is_assigned ? news->partitions->cnt / POSITION_INPUTS : 0;
		if (is_assigned)
			assert_int_equal(membership_accept(m->membership), 0);
		else
			membership_leave(m->membership);
		membership_news_free(news);
	}
}

static void watch_for(struct member *m, int64_t ms) {
	for (int64_t passed_ms = 0; passed_ms <= ms; passed_ms += STEP_MS) {
		membership_watch(m->membership);
		step_time(STEP_MS);
	}
}

static void a_refusal_that_librdkafka_does_not_tell_is_found(void **state) {
	struct member *m = *state;
	struct membership_read read = { m->topics.admin, 1, 0 };

	join(m);
	is_refused = true;
	watch_for(m, SILENCE_MS);
	print_message("what is not read need not answer\n");
	assert_int_equal(metric_refusals(&m->metrics), 0);
	assert_int_equal(membership_read(m->membership, &read, 1), 0);
	watch_for(m, SILENCE_MS / 2);
	assert_int_equal(metric_refusals(&m->metrics), 0);
	watch_for(m, SILENCE_MS);
	assert_int_equal(metric_refusals(&m->metrics), METRIC_REFUSED_INPUT);
	is_refused = false;
	watch_for(m, STEP_MS);
	assert_int_equal(metric_refusals(&m->metrics), 0);
}

static void another_member_comes(void **state) {
	static char id[] = "worker-2", servers[128];
	int64_t deadline_ms = clock_wall_ms() + DEADLINE_MS;
	struct member *first = *state, second;
	struct membership_news *news;

	join(first);
	snprintf(servers, sizeof(servers), "%s", rd_kafka_mock_cluster_bootstraps(cluster));
	member_init(&second, id, servers);
	assert_int_equal(membership_join(second.membership), 0);
	print_message("all is to be given away\n");
	news = wait_news(first, &second, 0);
	assert_int_equal(news->event, MEMBERSHIP_REVOKED);
	assert_false(membership_is_lost(first->membership));
	membership_news_free(news);
	print_message("meanwhile the group metadata hold, for what is to be committed\n");
	assert_non_null(membership_group(first->membership));
	membership_leave(first->membership);
	assert_null(membership_group(first->membership));
	print_message("each has a half, after as many news as it takes\n");
	while (first->partitions != PARTITIONS / 2 || second.partitions != PARTITIONS / 2) {
		assert_true(clock_wall_ms() < deadline_ms);
		follow(first);
		follow(&second);
		step_time(SMALL_STEP_MS);
	}
	member_destroy(&second);
}

static void a_member_that_is_made_again(void **state _unused_) {
	static char id[] = "worker-2", servers[128];
	struct member m;

	snprintf(servers, sizeof(servers), "%s", rd_kafka_mock_cluster_bootstraps(cluster));
	member_init(&m, id, servers);
	join(&m);
	membership_close(m.membership);
	assert_null(membership_client(m.membership));
	assert_null(membership_group(m.membership));
	assert_false(membership_has_news(m.membership));
	assert_int_equal(membership_open(m.membership), 0);
	join(&m);
	member_destroy(&m);
}

#define MEMBERSHIP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		MEMBERSHIP_TEST(nothing_is_done_before_news_are_followed),
		MEMBERSHIP_TEST(records_come_from_where_they_are_read),
		MEMBERSHIP_TEST(an_input_that_is_lost),
		MEMBERSHIP_TEST(a_refusal_that_librdkafka_does_not_tell_is_found),
		MEMBERSHIP_TEST(another_member_comes),
		MEMBERSHIP_TEST(a_member_that_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
