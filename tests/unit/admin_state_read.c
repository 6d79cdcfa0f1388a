/* Up to where the changelog is read while it is written, by librdkafka's mock brokers. */
#include "base/clock.h"
#include "changelog/state_read.h"
#include "unit.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { TIMEOUT_MS = 20 * 1000, LONG_MS = 60 * 1000, SHORT_MS = 10 };

static const struct row {
	const char *name, *prefix;
	bool to_present;
	int64_t takes_ms; /* the first walk */
	const char *found;
} rows[] = {
	{ "to the end at the beginning", "a-", false, LONG_MS, "before" },
	{ "to the present", "b-", true, LONG_MS, "meanwhile" },
	{ "to the present, and it took a moment", "c-", true, SHORT_MS, "before" },
};

static const struct row *row;
static int walks;
static int64_t passed_ms;
static rd_kafka_t *producer; /* has the mock brokers */

int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void) {
	return __real_clock_monotonic_ms() + passed_ms;
}

static void append(const char *value) {
	_cleanup_(x_freep) char *name = x_asprintf("%swebhook-state", row->prefix);
	rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);

	assert_int_equal(rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)value,
					  strlen(value), "key", strlen("key"), NULL),
			 0);
	assert_int_equal(rd_kafka_flush(producer, TIMEOUT_MS), 0);
	rd_kafka_topic_destroy(topic);
}

/* The key gets another value while it takes its time. */
enum admin_status __real_reader_walk(struct reader *reader, int64_t timeout_ms, reader_fn fn,
				     void *userdata);
enum admin_status __wrap_reader_walk(struct reader *reader, int64_t timeout_ms, reader_fn fn,
				     void *userdata);
enum admin_status __wrap_reader_walk(struct reader *reader, int64_t timeout_ms, reader_fn fn,
				     void *userdata) {
	enum admin_status status = __real_reader_walk(reader, timeout_ms, fn, userdata);

	if (walks++ == 0) {
		append("meanwhile");
		passed_ms += row->takes_ms;
	}
	return status;
}

static void read_row(struct config *config) {
	_cleanup_(state_fold_freep) struct state_fold *fold = state_fold_new();
	const struct state_read_options options = { .timeout_ms = TIMEOUT_MS,
						    .to_present = row->to_present };
	const struct state_fold_key key = { .partition = 0, .bytes = "key", .len = strlen("key") };
	const char *value;
	size_t len;

	append("before");
	walks = 0;
	assert_int_equal(state_read(config, &options, fold), ADMIN_OK);
	value = state_fold_find(fold, &key, &len);
	assert_non_null(value);
	assert_int_equal(len, strlen(row->found));
	assert_memory_equal(value, row->found, len);
}

static void it_is_read_up_to_where_it_is_asked_to(void **state _unused_) {
	static char servers[] = "bootstrap.servers", group_id[] = "g";
	rd_kafka_mock_cluster_t *brokers = rd_kafka_handle_mock_cluster(producer);
	_cleanup_(x_freep) char *bootstrap = x_strdup(rd_kafka_mock_cluster_bootstraps(brokers));
	struct kafka_property kafka[] = { { servers, bootstrap } };
	struct config config = { .kafka = kafka, .kafka_count = 1, .group_id = group_id };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(x_freep) char *prefix = x_strdup(rows[i].prefix);
		_cleanup_(x_freep) char *topic = x_asprintf("%swebhook-state", prefix);

		row = &rows[i];
		print_message("%s\n", row->name);
		config.topic_prefix = prefix;
		assert_int_equal(rd_kafka_mock_topic_create(brokers, topic, 1, 1), 0);
		read_row(&config);
	}
}

static int make_brokers(void **state _unused_) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)),
			 RD_KAFKA_CONF_OK);
	producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(producer);
	return 0;
}

static int end_brokers(void **state _unused_) {
	rd_kafka_destroy(producer);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_read_up_to_where_it_is_asked_to),
	};

	return cmocka_run_group_tests(tests, make_brokers, end_brokers);
}
