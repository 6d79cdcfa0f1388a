/* kafka.* is judged when the configuration is read: all of it, by the librdkafka that is linked,
 * and without a broker. */
#include "base/config_load.h"
#include "rdkafka/settings_judge.h"
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "hunter2"

enum { SETTINGS_MAX = 8 };

/* The configuration of settings with blanks between, or the problems that it has. The caller frees
 * it. */
static struct config *load(const char *settings, struct buffer *problems) {
	_cleanup_(x_freep) char *copy = x_strdup(settings);
	const char *items[SETTINGS_MAX] = { "kafka.bootstrap.servers=127.0.0.1:9" };
	struct config_source source = { .settings = items,
					.setting_count = 1,
					.needs = CONFIG_NEED_KAFKA,
					.kafka_rules = &settings_rules };
	struct config *config = NULL;
	char *rest = copy, *item;
	int r;

	while ((item = strsep(&rest, " ")) && *item)
		items[source.setting_count++] = item;
	r = config_load(&source, &config, problems);
	assert_int_equal(r, config ? 0 : CONFIG_E_REFUSED);
	return config;
}

static const char *const taken[] = {
	"",
	"kafka.session.timeout.ms=6000 kafka.heartbeat.interval.ms=1500",
	"kafka.linger.ms=50 kafka.compression.type=lz4",
	"kafka.client.id=x kafka.client.rack=y kafka.statistics.interval.ms=0",
	"kafka.security.protocol=SSL",
	"kafka.security.protocol=SSL kafka.ssl.ca.location=probe",
	"kafka.security.protocol=SASL_SSL kafka.sasl.mechanism=PLAIN kafka.sasl.username=u "
	"kafka.sasl.password=p",
	"kafka.security.protocol=SASL_PLAINTEXT kafka.sasl.mechanisms=SCRAM-SHA-256 "
	"kafka.sasl.username=u kafka.sasl.password=p",
	"kafka.security.protocol=SASL_SSL kafka.sasl.mechanism=SCRAM-SHA-512 kafka.sasl.username=u "
	"kafka.sasl.password=p",
	"kafka.bootstrap.servers=a:1,b:2,[::1]:3",
	"kafka.bootstrap.servers=PLAINTEXT://a:1,b:65535,c,PLAINTEXT://d,[::1]",
};

static void right_settings_are_taken(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
		_cleanup_(config_freep) struct config *config = load(taken[i], &problems);

		if (!config)
			fail_msg("%s: %s", taken[i], problems.data);
	}
}

/* Each with all that must be said of it; lines in any order. */
static const struct {
	const char *settings;
	const char *problems[3];
} refused[] = {
	{ "kafka.sasl.pasword=" SECRET,
	  { "--set: kafka.sasl.pasword: librdkafka ",
	    "has no such setting; did you mean kafka.sasl.password?" } },
	{ "kafka.service.host=10.0.0.1", { "--set: kafka.service.host: librdkafka " } },
	{ "kafka.security.protocol=SASLSSL", { "--set: kafka.security.protocol: Invalid value" } },
	{ "kafka.session.timeout.ms=soon", { "--set: kafka.session.timeout.ms: Invalid value" } },
	{ "kafka.session.timeout.ms=0", { "--set: kafka.session.timeout.ms: " } },
	{ "kafka.ssl.ca.location=/nonexistent.pem",
	  { "--set: kafka.ssl.ca.location: cannot be read: No such file or directory" } },
	{ "kafka.ssl.key.location=/nonexistent.pem",
	  { "--set: kafka.ssl.key.location: cannot be read: No such file or directory" } },
	{ "kafka.security.protocol=SSL kafka.ssl.ca.location=/dev/null",
	  { "configuration: kafka.*: ssl.ca.location failed" } },
	{ "kafka.security.protocol=SSL kafka.ssl.key.pem=" SECRET,
	  { "configuration: kafka.*: ssl.key.pem failed" } },
	{ "kafka.security.protocol=SSL kafka.ssl.keystore.location=/dev/null "
	  "kafka.ssl.keystore.password=" SECRET,
	  { "--set: kafka.ssl.keystore.location: is not a regular file" } },
	{ "kafka.sasl.mechanism=XX",
	  { "configuration: kafka.sasl.mechanism: needs kafka.security.protocol=SASL_SSL" } },
	{ "kafka.sasl.mechanism=XX kafka.security.protocol=SASL_SSL",
	  { "configuration: kafka.*: Unsupported SASL mechanism: XX" } },
	{ "kafka.sasl.mechanism=SCRAM-SHA-1 kafka.security.protocol=SASL_SSL "
	  "kafka.sasl.password=" SECRET,
	  { "configuration: kafka.*: " } },
	{ "kafka.sasl.mechanism=PLAIN kafka.security.protocol=SASL_SSL",
	  { "configuration: kafka.*: sasl.username and sasl.password must be set" } },
	{ "kafka.sasl.mechanism=OAUTHBEARER kafka.security.protocol=SASL_SSL",
	  { "configuration: kafka.sasl.mechanism: OAUTHBEARER needs " } },
	{ "kafka.bootstrap.servers=a:1,,b:2",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port" } },
	{ "kafka.bootstrap.servers=a:1,b:abc",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port, each port 1 to "
	    "65535" } },
	{ "kafka.bootstrap.servers=a:0",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port, each port 1 to "
	    "65535" } },
	{ "kafka.bootstrap.servers=a:65536",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port, each port 1 to "
	    "65535" } },
	{ "kafka.bootstrap.servers=a:",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port, each port 1 to "
	    "65535" } },
	{ "kafka.bootstrap.servers=[::1]:99999",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port, each port 1 to "
	    "65535" } },
	{ "kafka.bootstrap.servers=:9092",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port" } },
	{ "kafka.bootstrap.servers=a:1,:2",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port" } },
	{ "kafka.bootstrap.servers=[]:1",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port" } },
	{ "kafka.bootstrap.servers=PLAINTEXT://:9",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port" } },
	{ "kafka.bootstrap.servers=a:1,",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port" } },
	{ "kafka.bootstrap.servers=http://a:1",
	  { "configuration: kafka.bootstrap.servers: must be host:port,host:port" } },
	{ "kafka.max.poll.interval.ms=9000", { "configuration: kafka.*: `max.poll.interval.ms`" } },
	{ "kafka.heartbeat.interval.ms=6000",
	  { "kafka.heartbeat.interval.ms: is 6000, and must be at most half of "
	    "kafka.session.timeout.ms, which is 10000" } },
	{ "kafka.fetch.max.bytes=100000",
	  { "configuration: kafka.*: `fetch.max.bytes` must be >= `message.max.bytes`" } },
	{ "kafka.receive.message.max.bytes=100000",
	  { "configuration: kafka.*: `receive.message.max.bytes` must be >= " } },
	{ "kafka.linger.ms=20000",
	  { "configuration: kafka.*: `message.timeout.ms` must be greater than `linger.ms`" } },
	{ "kafka.socket.timeout.ms=60000",
	  { "configuration: kafka.*: `socket.timeout.ms` must be set <= "
	    "`transaction.timeout.ms`" } },
	{ "kafka.retries=0", { "configuration: kafka.*: `retries` must be set >= 1" } },
	{ "kafka.error_cb=x", { "--set: kafka.error_cb: " } },
	/* All at once. */
	{ "kafka.sasl.pasword=" SECRET " kafka.message.max.bytes=5 kafka.debug=everything",
	  { "--set: kafka.sasl.pasword: ", "--set: kafka.message.max.bytes: cannot be set",
	    "--set: kafka.debug: Invalid value" } },
	{ "kafka.heartbeat.interval.ms=6000 kafka.max.poll.interval.ms=9000 "
	  "kafka.socket.timeout.ms=60000",
	  { "kafka.heartbeat.interval.ms: is 6000", "`max.poll.interval.ms`",
	    "`socket.timeout.ms`" } },
};

static void wrong_settings_are_named_without_their_secrets(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
		_cleanup_(config_freep) struct config *config =
		    load(refused[i].settings, &problems);

		if (config)
			fail_msg("%s: was taken", refused[i].settings);
		if (strstr(problems.data, SECRET))
			fail_msg("%s: a secret is shown: %s", refused[i].settings, problems.data);
		for (size_t k = 0; k < ARRAY_LEN(refused[i].problems) && refused[i].problems[k];
		     k++)
			if (!strstr(problems.data, refused[i].problems[k]))
				fail_msg("%s: %s", refused[i].settings, problems.data);
	}
}

/* Whatever one of our clients sets over an operator's value. */
static const char *const ours[] = {
	"group.id",
	"group.instance.id",
	"transactional.id",
	"metadata.broker.list",
	"isolation.level",
	"auto.offset.reset",
	"enable.auto.commit",
	"auto.commit.enable",
	"enable.auto.offset.store",
	"enable.partition.eof",
	"group.protocol",
	"partition.assignment.strategy",
	"enable.idempotence",
	"acks",
	"request.required.acks",
	"enable.gapless.guarantee",
	"max.in.flight",
	"max.in.flight.requests.per.connection",
	"batch.num.messages",
	"queuing.strategy",
	"partitioner",
	"transaction.timeout.ms",
	"message.timeout.ms",
	"delivery.timeout.ms",
	"message.max.bytes",
	"allow.auto.create.topics",
	"socket.nagle.disable",
	"log.connection.close",
	"log_level",
	"log.queue",
};

static void settings_that_are_ours_are_refused_with_the_reason(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		_cleanup_(x_freep) char *setting = x_asprintf("kafka.%s=true", ours[i]),
					*expected =
					    x_asprintf("--set: kafka.%s: cannot be set: ", ours[i]);
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
		_cleanup_(config_freep) struct config *config = load(setting, &problems);

		if (config || !strstr(problems.data, expected))
			fail_msg("%s: %s", setting, config ? "was taken" : problems.data);
	}
}

/* Kubernetes makes variables for each Service; a file, or a hand, is meant as it says. */
static void what_is_unknown_is_ignored_of_the_environment_alone(void **state _unused_) {
	char variables[][64] = { "POSTHORN_KAFKA_SERVICE_HOST=10.0.0.1",
				 "POSTHORN_KAFKA_PORT=tcp://10.0.0.1:9092",
				 "POSTHORN_KAFKA_PORT_9092_TCP_PROTO=tcp",
				 "POSTHORN_KAFKA_CLIENT_ID=x",
				 "POSTHORN_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9" };
	char *const environment[] = { variables[0], variables[1], variables[2],
				      variables[3], variables[4], NULL };
	char wrong[] = "POSTHORN_KAFKA_ACKS=1", *const refused_environment[] = { variables[4],
										 wrong, NULL };
	struct config_source source = { .environment = environment,
					.needs = CONFIG_NEED_KAFKA,
					.kafka_rules = &settings_rules };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	_cleanup_(config_freep) struct config *config = NULL, *none = NULL;

	assert_int_equal(config_load(&source, &config, &problems), 0);
	assert_int_equal(config->kafka_count, 2);
	assert_string_equal(config_kafka_get(config, "client.id"), "x");
	source.environment = refused_environment;
	assert_int_equal(config_load(&source, &none, &problems), CONFIG_E_REFUSED);
	assert_non_null(strstr(problems.data, "POSTHORN_KAFKA_ACKS: kafka.acks: cannot be set"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_settings_are_taken),
		cmocka_unit_test(wrong_settings_are_named_without_their_secrets),
		cmocka_unit_test(settings_that_are_ours_are_refused_with_the_reason),
		cmocka_unit_test(what_is_unknown_is_ignored_of_the_environment_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
