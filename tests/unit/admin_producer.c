/* What a producer counts as written, by librdkafka's mock brokers. */
#include "base/clock.h"
#include "base/memory.h"
#include "kafka/producer.h"
#include "unit.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { PRODUCE = 0 }; /* Source: Kafka protocol guide, api keys. */

static rd_kafka_t *client; /* that the producer has made */
static bool is_down;       /* its broker */

rd_kafka_topic_t *__real_rd_kafka_topic_new(rd_kafka_t *rk, const char *name,
					    rd_kafka_topic_conf_t *conf);
rd_kafka_topic_t *__wrap_rd_kafka_topic_new(rd_kafka_t *rk, const char *name,
					    rd_kafka_topic_conf_t *conf);

rd_kafka_topic_t *__wrap_rd_kafka_topic_new(rd_kafka_t *rk, const char *name,
					    rd_kafka_topic_conf_t *conf) {
	client = rk;
	rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(rk), name, 1, 1);
	if (is_down)
		rd_kafka_mock_broker_set_down(rd_kafka_handle_mock_cluster(rk), 1);
	return __real_rd_kafka_topic_new(rk, name, conf);
}

static void on_report(void *userdata _unused_, void *tag, const char *why) {
	*(const char **)tag = why ? why : "written";
}

static char servers[] = "bootstrap.servers", none[] = "127.0.0.1:1";
static char count[] = "test.mock.num.brokers", one[] = "1";
static struct kafka_property kafka[] = { { servers, none }, { count, one } };
static const struct config config = { .kafka = kafka, .kafka_count = ARRAY_LEN(kafka) };

/* However long a record may wait for them. */
static void brokers_that_are_down_are_not_waited_for(void **state _unused_) {
	const struct producer_options options = { .topic = "t",
						  .timeout_ms = 300 * 1000,
						  .open_ms = 500 };
	int64_t began_ms = clock_monotonic_ms();
	struct producer *producer;

	is_down = true;
	assert_int_not_equal(producer_open(&config, &options, &producer), ADMIN_OK);
	is_down = false;
	assert_in_range(clock_monotonic_ms() - began_ms, 400, 30 * 1000);
}

static void a_record_is_written_where_the_brokers_have_it(void **state _unused_) {
	static const struct {
		const char *name;
		rd_kafka_resp_err_t error;
		const char *told;
	} rows[] = {
		{ "all is well", 0, "written" },
		{ "it is too large", RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
		  "Broker: Message size too large" },
		{ "it is taken for one that was written before",
		  RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER,
		  "Broker: Broker received a duplicate sequence number" },
	};
	const struct producer_options options = { .topic = "t",
						  .timeout_ms = 10000,
						  .on_report = on_report };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *told = "nothing";
		const struct produced_record record = { .value = "v", .len = 1, .tag = &told };
		struct producer *producer;

		print_message("%s\n", rows[i].name);
		assert_int_equal(producer_open(&config, &options, &producer), ADMIN_OK);
		if (rows[i].error)
			rd_kafka_mock_push_request_errors(rd_kafka_handle_mock_cluster(client),
							  PRODUCE, 1, rows[i].error);
		assert_int_equal(producer_send(producer, &record), ADMIN_OK);
		assert_int_equal(producer_flush(producer) == ADMIN_OK, !rows[i].error);
		assert_string_equal(told, rows[i].told);
		assert_int_equal(producer_acknowledged(producer), !rows[i].error);
		assert_int_equal(producer_lost(producer), rows[i].error != 0);
		producer_close(producer);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_written_where_the_brokers_have_it),
		cmocka_unit_test(brokers_that_are_down_are_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
