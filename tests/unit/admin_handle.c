/* What the command line and the gateway say of a Kafka that does not answer. */
#include "kafka/handle.h"
#include "rdkafka/refusal.h"
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>

static char told[1024];

void __wrap_terminal_complain(const char *format, ...);
void __wrap_terminal_complain(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(told, sizeof(told), format, arguments);
	va_end(arguments);
}

static char bootstrap[] = "kafka:9092";

static void complain_of(struct kafka_handle handle, const char *connection,
			rd_kafka_resp_err_t error) {
	handle.bootstrap = bootstrap;
	snprintf(handle.last_error, sizeof(handle.last_error), "%s", connection);
	assert_int_equal(kafka_complain(&handle, "webhook-results", error), ADMIN_NO_OUTCOME);
}

/* Whether librdkafka has already said that all brokers are down is a matter of its time. */
static void silence_is_explained_before_librdkafka_tells_of_it(void **state _unused_) {
	static const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR__TIMED_OUT,
		RD_KAFKA_RESP_ERR__TRANSPORT,
		RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
	};

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		complain_of((struct kafka_handle){ 0 }, "", errors[i]);
		assert_non_null(strstr(told, "=kafka:9092); " REFUSAL_SILENCE));
	}
}

/* A port that wants a login closes the connection, which is an error of the connection. */
static void silence_is_explained_beside_the_connections_error(void **state _unused_) {
	struct kafka_handle handle = { .bootstrap = bootstrap, .last_error = "Broken pipe" };

	complain_of(handle, "Broken pipe", RD_KAFKA_RESP_ERR__TIMED_OUT);
	assert_non_null(strstr(told, "=kafka:9092: Broken pipe); " REFUSAL_SILENCE));
	assert_int_equal(kafka_complain_timeout(&handle, "webhook-results", 2000),
			 ADMIN_NO_OUTCOME);
	assert_non_null(strstr(told, "no answer in 2.0 s (kafka.bootstrap.servers=kafka:9092: "
				     "Broken pipe); " REFUSAL_SILENCE));
}

static void brokers_that_answered_are_not_silent(void **state _unused_) {
	complain_of((struct kafka_handle){ .answered_at_ms = 1 }, "node 2: Connection refused",
		    RD_KAFKA_RESP_ERR__TIMED_OUT);
	assert_non_null(strstr(told, "=kafka:9092: node 2: Connection refused)"));
	assert_null(strstr(told, REFUSAL_SILENCE));
}

static void a_refused_login_is_no_silence(void **state _unused_) {
	complain_of((struct kafka_handle){ .login_cause = "it is not trusted" }, "SSL handshake",
		    RD_KAFKA_RESP_ERR__TIMED_OUT);
	assert_null(strstr(told, REFUSAL_SILENCE));
}

static void a_brokers_own_error_is_no_silence(void **state _unused_) {
	complain_of((struct kafka_handle){ 0 }, "", RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
	assert_non_null(strstr(told, "=kafka:9092)"));
	assert_null(strstr(told, REFUSAL_SILENCE));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_explained_before_librdkafka_tells_of_it),
		cmocka_unit_test(silence_is_explained_beside_the_connections_error),
		cmocka_unit_test(brokers_that_answered_are_not_silent),
		cmocka_unit_test(a_refused_login_is_no_silence),
		cmocka_unit_test(a_brokers_own_error_is_no_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
