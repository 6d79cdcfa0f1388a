#include "base/config_reload.h"
#include "base/config_text.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/posthorn-config-XXXXXX";
static char path[128];

static int make_directory(void **state _unused_) {
	snprintf(path, sizeof(path), "%s/p", mkdtemp(directory));
	return 0;
}

static int remove_directory(void **state _unused_) {
	return rmdir(directory);
}

static void write_file(const char *content, mode_t mode) {
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* The configuration of one setting, or the problems that it has. */
static struct config *load_setting(const char *setting, struct buffer *problems) {
	const struct config_source source = { .settings = &setting, .setting_count = 1 };
	struct config *config = NULL;
	int r = config_load(&source, &config, problems);

	assert_int_equal(r, config ? 0 : CONFIG_E_REFUSED);
	return config;
}

static void every_key_has_its_default(void **state _unused_) {
	const struct config_source source = { 0 };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
	_cleanup_(config_freep) struct config *config = NULL;

	assert_int_equal(config_load(&source, &config, &problems), 0);
	assert_string_equal(config->group_id, "posthorn");
	assert_string_equal(config->topic_prefix, "");
	assert_int_equal(config->topic_partitions, 12);
	assert_int_equal(config->topic_replication_factor, -1);
	assert_null(config->schema_registry_url);
	assert_non_null(config->worker_id);
	assert_string_equal(config->worker_http_listen.host, "127.0.0.1");
	assert_int_equal(config->worker_http_listen.port, 9464);
	assert_int_equal(config->batch_max_wait_ms, 200);
	assert_int_equal(config->receipt_retention_ms, 86400000);
	assert_int_equal(config->issuance_receipt_retention_ms, 0);
	assert_true(config->delivery_threads >= 1);
	assert_int_equal(config->delivery_retry_count, 7);
	assert_int_equal(config->delivery_retry_schedule_ms[0], 5000);
	assert_int_equal(config->delivery_retry_schedule_ms[6], 36000000);
	assert_true(config->delivery_retry_jitter > 0.19 && config->delivery_retry_jitter < 0.21);
	assert_int_equal(config->endpoint_failing_notify_after_ms, 900000);
	assert_int_equal(config->endpoint_disable_after_ms, 432000000);
	assert_false(config->endpoint_allow_http);
	assert_int_equal(config->endpoint_allow_networks.count, 0);
	assert_int_equal(config->signature_formats,
			 SIGNATURE_FORMAT_RFC9421 | SIGNATURE_FORMAT_STANDARD_WEBHOOKS);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_int_equal(config->kafka_count, 0);
	assert_int_equal(problems.len, 0);
}

static const char *const taken[] = {
	"kafka.security.protocol=SASL_SSL",
	"kafka.session.timeout.ms=6000",
	"kafka.sasl.password= with blanks = and signs ",
	"group.id=a.B_9-",
	"topic.prefix=",
	"topic.prefix=test.",
	"topic.replication.factor=3",
	"schema.registry.url=http://127.0.0.1:8081",
	"schema.registry.url=https://[::1]/x",
	"schema.registry.url=http://a:8081,https://b/registry , http://c",
	"schema.registry.url=",
	"worker.id=w-1",
	"worker.master.key.file=/etc/posthorn/master 1.key",
	"worker.http.listen=[::1]:0",
	"worker.http.listen=localhost:65535",
	"batch.max.wait=0",
	"delivery.timeout=  2s ",
	"delivery.retry.schedule=1ms",
	"delivery.retry.schedule=1ms, 2s ,3m",
	"delivery.retry.jitter=0",
	"delivery.retry.jitter=1.0",
	"endpoint.allow.http=true",
	"endpoint.allow.networks=",
	"endpoint.allow.networks=127.0.0.0/8, ::1",
	"endpoint.proxy=",
	"endpoint.proxy=http://proxy.corp:3128",
	"endpoint.proxy=HTTP://10.0.0.1:3128/",
	"endpoint.proxy=http://[::1]:3128",
	"endpoint.proxy=http://user@proxy:3128",
	"endpoint.proxy=http://user:a%20b@c@proxy:3128",
	"event.types=",
	"event.types=DegreeRevoked , a.b-c_d",
	"endpoint.proxy.except=",
	"endpoint.proxy.except=10.0.0.0/8, .corp.example,localhost",
	"signature.formats=standard-webhooks",
	"log.format=json",
};

static void valid_settings_are_taken(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
		_cleanup_(config_freep) struct config *config = load_setting(taken[i], &problems);

		if (!config)
			fail_msg("%s: %s", taken[i], problems.data);
	}
}

static const struct {
	const char *setting;
	const char *problem; /* the beginning of the line */
} refused[] = {
	{ "delivery.timeout", "--set: delivery.timeout: must be key=value" },
	{ "=1", "--set: : unknown key" },
	{ "delivery.timout=5s",
	  "--set: delivery.timout: unknown key; did you mean delivery.timeout?" },
	{ "delivery.max.inflight=5",
	  "--set: delivery.max.inflight: unknown key; did you mean delivery.max.in.flight?" },
	{ "Log.Level=info", "--set: Log.Level: unknown key; did you mean log.level?" },
	{ "bootstrap=localhost:9092", "--set: bootstrap: unknown key\n" },
	{ "a\nb=c", "--set: a?b: unknown key" },
	{ "group.id=", "--set: group.id: must be 1 to 128 bytes long" },
	{ "group.id=a b", "--set: group.id: must consist of letters" },
	{ "group.id=caf\xc3\xa9", "--set: group.id: must consist of letters" },
	{ "worker.id=a/b", "--set: worker.id: must consist of letters" },
	{ "worker.data.dir=", "--set: worker.data.dir: must be 1 to 4095 bytes long" },
	{ "worker.data.dir=\xff", "--set: worker.data.dir: must be UTF-8 text" },
	{ "worker.master.key.file=",
	  "--set: worker.master.key.file: must be files with commas between, none empty" },
	{ "worker.master.key.file=a,,b",
	  "--set: worker.master.key.file: must be files with commas between" },
	{ "worker.master.key.file=a, ",
	  "--set: worker.master.key.file: must be files with commas between" },
	{ "worker.master.key.file=,,,,,,,,,,,,,,,,",
	  "--set: worker.master.key.file: must have 1 to 16 files" },
	{ "topic.partitions=0", "--set: topic.partitions: must be a whole number, 1 to 10000" },
	{ "topic.partitions=", "--set: topic.partitions: must be a whole number" },
	{ "topic.partitions=1.5", "--set: topic.partitions: must be a whole number" },
	{ "topic.partitions=+5", "--set: topic.partitions: must be a whole number" },
	{ "topic.partitions=0x10", "--set: topic.partitions: must be a whole number" },
	{ "topic.partitions=99999999999999999999",
	  "--set: topic.partitions: must be a whole number" },
	{ "topic.replication.factor=0", "--set: topic.replication.factor: must not be 0" },
	{ "topic.replication.factor=-2",
	  "--set: topic.replication.factor: must be a whole number, -1 to 100" },
	{ "command.max.bytes=10",
	  "--set: command.max.bytes: must be a whole number, 1024 to 67108864" },
	{ "schema.registry.url=localhost:8081",
	  "--set: schema.registry.url: must be an http or https URL" },
	{ "schema.registry.url=https://",
	  "--set: schema.registry.url: must be an http or https URL" },
	{ "schema.registry.url=http://a,b",
	  "--set: schema.registry.url: must be an http or https URL" },
	{ "schema.registry.url=http://user:secret@a",
	  "--set: schema.registry.url: must have no user: schema.registry.basic.auth.file has" },
	{ "schema.registry.timeout=1ms", "--set: schema.registry.timeout: must be 10ms to 1m" },
	{ "schema.registry.key.file=/key",
	  "configuration: schema.registry.certificate.file: and schema.registry.key.file belong "
	  "together" },
	{ "results.framing=avro",
	  "--set: results.framing: must be single-object, confluent or json" },
	{ "results.framing=confluent",
	  "configuration: results.framing: confluent needs schema.registry.url" },
	{ "worker.http.listen=9464", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=:9464", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=::1:9464", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=[::1]", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=[::1]x:1", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=[::1:9464", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=[localhost]:1", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=127.0.0.1:65536", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=127.0.0.1:-1", "--set: worker.http.listen: must be host:port" },
	{ "worker.http.listen=127.0.0.1:", "--set: worker.http.listen: must be host:port" },
	{ "delivery.timeout=15", "--set: delivery.timeout: must be a duration" },
	{ "delivery.timeout=0s", "--set: delivery.timeout: must be 1ms to 10m" },
	{ "delivery.timeout=11m", "--set: delivery.timeout: must be 1ms to 10m" },
	{ "delivery.retry.schedule=", "--set: delivery.retry.schedule: must be a duration" },
	{ "delivery.retry.schedule=1s,,2s", "--set: delivery.retry.schedule: must be a duration" },
	{ "delivery.retry.schedule=1s,0s", "--set: delivery.retry.schedule: must be 1ms to 30d" },
	{ "delivery.retry.jitter=1.1", "--set: delivery.retry.jitter: must be a number, 0 to 1" },
	{ "delivery.retry.jitter=nan", "--set: delivery.retry.jitter: must be a number" },
	{ "delivery.retry.jitter=-0.1", "--set: delivery.retry.jitter: must be a number" },
	{ "endpoint.allow.http=yes", "--set: endpoint.allow.http: must be true or false" },
	{ "endpoint.allow.networks=10.0.0.0/8,",
	  "--set: endpoint.allow.networks: must be networks like" },
	{ "endpoint.allow.networks=10.1.0.0/8",
	  "--set: endpoint.allow.networks: has a network with bits outside its prefix" },
	{ "endpoint.proxy=proxy:3128", "--set: endpoint.proxy: must be http://host:port or" },
	{ "endpoint.proxy=https://proxy:3128", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://proxy", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://proxy:0", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://proxy:65536", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://proxy:1x", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://:3128", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://::1:3128", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://[::1]", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://[proxy]:1", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://[:1", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://proxy:1/path", "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://user:hunter2@",
	  "--set: endpoint.proxy: must be http://host:port" },
	{ "endpoint.proxy=http://:hunter2@proxy:1",
	  "--set: endpoint.proxy: must have a user without a colon" },
	{ "endpoint.proxy=http://u%3as:hunter2@proxy:1",
	  "--set: endpoint.proxy: must have a user without a colon" },
	{ "endpoint.proxy=http://user:hunter%2@proxy:1",
	  "--set: endpoint.proxy: must have a user without a colon" },
	{ "endpoint.proxy=http://user:a%0d%0ab@proxy:1",
	  "--set: endpoint.proxy: must have a user without a colon" },
	{ "endpoint.proxy=http://user:%00@proxy:1",
	  "--set: endpoint.proxy: must have a user without a colon" },
	{ "endpoint.proxy=http://user:%ff@proxy:1",
	  "--set: endpoint.proxy: must have a user without a colon" },
	{ "event.types=a b", "--set: event.types: must be names with commas between" },
	{ "event.types=a,,b", "--set: event.types: must be names with commas between" },
	{ "event.types=1a", "--set: event.types: must be names with commas between" },
	{ "event.types=a,b,a", "--set: event.types: must not have a name twice" },
	{ "event.types=WebhookTest",
	  "--set: event.types: must not begin with OpenIdCredential, Webhook or Delivery" },
	{ "endpoint.proxy.except=*.corp.example",
	  "--set: endpoint.proxy.except: must be networks and names like" },
	{ "endpoint.proxy.except=10.0.0.1/8",
	  "--set: endpoint.proxy.except: has a network with bits outside its prefix" },
	{ "endpoint.proxy.password.file=/secret",
	  "configuration: endpoint.proxy.password.file: needs a user without a password in "
	  "endpoint.proxy" },
	{ "endpoint.tls.key.file=/key",
	  "configuration: endpoint.tls.certificate.file: and endpoint.tls.key.file belong "
	  "together" },
	{ "signature.formats=", "--set: signature.formats: must be one or both" },
	{ "signature.formats=rfc9421,md5", "--set: signature.formats: must be one or both" },
	{ "log.level=INFO", "--set: log.level: must be debug, info, warn or error" },
	{ "log.format=xml", "--set: log.format: must be logfmt or json" },
	{ "kafka.=x", "--set: kafka.: must name a setting of librdkafka" },
	{ "kafka.Group=x", "--set: kafka.Group: must name a setting of librdkafka" },
	{ "kafka.*=x", "--set: kafka.*: must name a setting of librdkafka" },
	{ "kafka.sasl.password:hunter2", "--set: kafka.sasl.password: must be key=value" },
	{ "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7=x",
	  "--set: (52-characters): unknown key" },
};

static void wrong_settings_are_refused(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
		_cleanup_(config_freep) struct config *config =
		    load_setting(refused[i].setting, &problems);

		if (config ||
		    strncmp(problems.data, refused[i].problem, strlen(refused[i].problem)) != 0)
			fail_msg("%s: %s", refused[i].setting,
				 config ? "was taken" : problems.data);
	}
}

static void values_reach_their_fields(void **state _unused_) {
	const char *const settings[] = { "kafka.bootstrap.servers= a:1,b:2 ",
					 "endpoint.allow.networks=10.0.0.0/8,::1",
					 "kafka.acks.x=1",
					 "kafka.acks.x=2",
					 "delivery.retry.schedule=1s,2m",
					 "delivery.retry.schedule=3s",
					 "worker.http.listen=[::1]:80",
					 "worker.master.key.file=first",
					 "worker.master.key.file=/a b , c",
					 "endpoint.proxy=http://a:b@c:1",
					 "endpoint.proxy=http://us%65r:p%40ss%3a@[::1]:3128/",
					 "endpoint.proxy.except=a.example",
					 "endpoint.proxy.except=10.0.0.0/8",
					 "gateway.domain=example.com",
					 "gateway.domain=" };
	const struct config_source source = { .settings = settings,
					      .setting_count = ARRAY_LEN(settings),
					      .needs = CONFIG_NEED_KAFKA };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
	_cleanup_(config_freep) struct config *config = NULL;
	struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;

	assert_int_equal(config_load(&source, &config, &problems), 0);
	assert_string_equal(config_kafka_get(config, "bootstrap.servers"), "a:1,b:2");
	assert_string_equal(config_kafka_get(config, "acks.x"), "2");
	assert_null(config_kafka_get(config, "acks"));
	assert_int_equal(config->kafka_count, 2);
	assert_true(network_list_contains(&config->endpoint_allow_networks, &loopback));
	assert_int_equal(config->delivery_retry_count, 1);
	assert_int_equal(config->delivery_retry_schedule_ms[0], 3000);
	assert_string_equal(config->worker_http_listen.host, "::1");
	assert_int_equal(config->worker_http_listen.port, 80);
	assert_string_equal(config->endpoint_proxy.location, "http://[::1]:3128");
	assert_string_equal(config->endpoint_proxy.user, "user");
	assert_string_equal(config->endpoint_proxy.password, "p@ss:");
	assert_false(host_list_contains(&config->endpoint_proxy_except, "a.example"));
	assert_true(host_list_contains(&config->endpoint_proxy_except, "10.1.1.1"));
	assert_null(config->gateway_domain);
	assert_int_equal(config->worker_master_key_files.count, 2);
	assert_string_equal(config->worker_master_key_files.items[0], "/a b");
	assert_string_equal(config->worker_master_key_files.items[1], "c");
}

static void later_sources_win(void **state _unused_) {
	char variables[][64] = { "PATH=/bin", "POSTHORN_BATCH_MAX_RECORDS=20",
				 "POSTHORN_GROUP_ID=environment", "POSTHORN_NO_SUCH_KEY=1",
				 "POSTHORN_KAFKA_SSL_CA_LOCATION=/ca" };
	char *const environment[] = { variables[0], variables[1], variables[2],
				      variables[3], variables[4], NULL };
	const char *const settings[] = { "group.id=first", "group.id=setting" };
	const struct config_source source = {
		.file = path, .environment = environment, .settings = settings, .setting_count = 2
	};
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024);
	_cleanup_(config_freep) struct config *config = NULL;
	int r;

	write_file("group.id=file\nbatch.max.records=10\ntopic.partitions: 3\n", 0644);
	r = config_load(&source, &config, &problems);
	unlink(path);
	assert_int_equal(r, 0);
	assert_string_equal(config->group_id, "setting");
	assert_int_equal(config->batch_max_records, 20);
	assert_int_equal(config->topic_partitions, 3);
	assert_string_equal(config_kafka_get(config, "ssl.ca.location"), "/ca");
}

static void every_problem_is_named(void **state _unused_) {
	char variable[] = "POSTHORN_LOG_LEVEL=loud", *const environment[] = { variable, NULL };
	const char *const settings[] = { "x=y" };
	const struct config_source source = { .file = path,
					      .environment = environment,
					      .settings = settings,
					      .setting_count = 1,
					      .needs = CONFIG_NEED_KAFKA | CONFIG_NEED_MASTER_KEY |
						       CONFIG_NEED_GATEWAY };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096),
						expected = BUFFER_INIT(4096);
	struct config *config = NULL;
	int r;

	write_file("# first\nbatch.max.records=0\n\na=\\u12\nlog.format=xml\n", 0600);
	r = config_load(&source, &config, &problems);
	unlink(path);
	assert_int_equal(r, CONFIG_E_REFUSED);
	assert_null(config);
	buffer_printf(&expected, "%s:2: batch.max.records: must be a whole number, 1 to 100000\n",
		      path);
	buffer_printf(&expected, "%s:4: \\u needs four hexadecimal digits of a character\n", path);
	buffer_printf(&expected, "%s:5: log.format: must be logfmt or json\n", path);
	buffer_append_string(&expected,
			     "POSTHORN_LOG_LEVEL: log.level: must be debug, info, warn or error\n"
			     "--set: x: unknown key\n"
			     "configuration: kafka.bootstrap.servers: is required\n"
			     "configuration: worker.master.key.file: is required\n"
			     "configuration: gateway.tokens.file: is required\n");
	assert_string_equal(problems.data, expected.data);
}

static const struct {
	const char *name;
	const char *content;
	mode_t mode;
	const char *problem; /* NULL: is read */
} files[] = {
	{ "empty", "", 0644, NULL },
	{ "its owner's", "group.id=x", 0600, NULL },
	{ "its group's, which is ours", "group.id=x", 0664, NULL },
	{ "others may write", "group.id=x", 0646, "file: unsafe file: others may write" },
	{ "not UTF-8", "group.id=x\n# \xff\n", 0644, "file: must be UTF-8 text" },
	{ "a password for its owner alone", "kafka.sasl.password=x", 0600, NULL },
	{ "no password", "kafka.sasl.password=", 0644, NULL },
	{ "a password that others may read", "kafka.sasl.password=x", 0644,
	  "file: has mode 0644 and must have 0600 or less" },
	{ "a password that its group may read", "kafka.ssl.key.password=x", 0660,
	  "it holds a password or a key" },
	{ "a proxy's password", "endpoint.proxy=http://u:p@h:1", 0600, NULL },
	{ "a proxy without one", "endpoint.proxy=http://u@h:1", 0644, NULL },
	{ "a proxy's password that others may read", "endpoint.proxy=http://u:p@h:1", 0644,
	  "file: has mode 0644 and must have 0600 or less" },
	{ "a proxy's password twice",
	  "endpoint.proxy=http://u:p@h:1\nendpoint.proxy.password.file=f", 0600,
	  "configuration: endpoint.proxy.password.file: needs a user without a password in "
	  "endpoint.proxy" },
	{ "a secret that others may read", "kafka.sasl.oauthbearer.client.secret=x", 0604,
	  "file: has mode 0604" },
};

static void files_are_judged_by_content_and_mode(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct config_source source = { .file = path };
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
		_cleanup_(config_freep) struct config *config = NULL;
		int r;

		write_file(files[i].content, files[i].mode);
		r = config_load(&source, &config, &problems);
		unlink(path);
		if (r != (files[i].problem ? CONFIG_E_REFUSED : 0) ||
		    (r && !strstr(problems.data, files[i].problem)))
			fail_msg("%s: %d %s", files[i].name, r, problems.data ? problems.data : "");
	}
}

/* The content of a secret file, with its mode, and the value of kafka.sasl.password. */
static const struct {
	const char *name;
	const char *content;
	mode_t mode;
	const char *value;   /* NULL: refused */
	const char *problem; /* part of it */
} secret_files[] = {
	{ "a line", "hunter2\n", 0600, "hunter2", NULL },
	{ "without an end", "hunter2", 0600, "hunter2", NULL },
	{ "of Windows", "hunter2\r\n", 0400, "hunter2", NULL },
	{ "blanks are its own", " hunter2 \n\n", 0600, " hunter2 \n", NULL },
	{ "others may read it", "hunter2", 0604, NULL, "p has mode 0604 and must have 0600" },
	{ "empty", "\n", 0600, NULL, "p is empty" },
	{ "not UTF-8", "hunter2\xff", 0600, NULL, "p is not UTF-8 text" },
};

static void a_secret_is_read_from_its_file(void **state _unused_) {
	_cleanup_(x_freep) char *setting = x_asprintf("kafka.sasl.password.file= %s ", path);

	for (size_t i = 0; i < ARRAY_LEN(secret_files); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
		_cleanup_(config_freep) struct config *config = NULL;
		const char *value;

		write_file(secret_files[i].content, secret_files[i].mode);
		config = load_setting(setting, &problems);
		unlink(path);
		value = config ? config_kafka_get(config, "sasl.password") : NULL;
		if (!value != !secret_files[i].value ||
		    (value && strcmp(value, secret_files[i].value) != 0) ||
		    (!value && (!strstr(problems.data, secret_files[i].problem) ||
				!strstr(problems.data, "kafka.sasl.password.file: ") ||
				strstr(problems.data, "hunter2"))))
			fail_msg("%s: %s %s", secret_files[i].name, value ? value : "refused",
				 problems.data ? problems.data : "");
	}
}

static void a_secret_file_that_is_not_there_is_named_visibly(void **state _unused_) {
	_cleanup_(x_freep) char *long_name = x_asprintf("kafka.sasl.password.file=%05000d", 1);
	const struct {
		const char *setting, *problem;
	} rows[] = {
		{ "kafka.sasl.password.file=/tmp/a\033[2Jb",
		  "kafka.sasl.password.file: /tmp/a\\u001b[2Jb No such file" },
		{ long_name, "kafka.sasl.password.file: its file: File name too long" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(16 * 1024);
		_cleanup_(config_freep) struct config *config =
		    load_setting(rows[i].setting, &problems);

		assert_null(config);
		if (!strstr(problems.data, rows[i].problem))
			fail_msg("%s", problems.data);
	}
}

/* Each has a twin that names a file. */
static void secrets_are_known_by_their_words(void **state _unused_) {
	static const char *const secrets[] = {
		"sasl.password",
		"ssl.key.password",
		"ssl.keystore.password",
		"ssl.key.pem",
		"sasl.oauthbearer.client.secret",
		"sasl.oauthbearer.config",
		"sasl.oauthbearer.assertion.private.key.passphrase"
	};
	static const char *const others[] = { "sasl.username", "sasl.password.file", "ssl.ca.pem",
					      "ssl.key.location",
					      "sasl.oauthbearer.assertion.private.key.file" };

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		assert_true(config_kafka_is_secret(secrets[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(config_kafka_is_secret(others[i]));
}

static void a_missing_file_is_refused(void **state _unused_) {
	const struct config_source missing = { .file = path }, folder = { .file = directory };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	struct config *config = NULL;

	assert_int_equal(config_load(&missing, &config, &problems), CONFIG_E_REFUSED);
	assert_non_null(strstr(problems.data, "p: file: No such file or directory"));
	buffer_clear(&problems);
	assert_int_equal(config_load(&folder, &config, &problems), CONFIG_E_REFUSED);
	assert_non_null(strstr(problems.data, ": file: Is a directory"));
}

static void the_tokens_file_is_judged_for_a_gateway(void **state _unused_) {
	_cleanup_(x_freep) char *setting = x_asprintf("gateway.tokens.file=%s", path);
	const struct config_source asked = { .settings = (const char *const *)&setting,
					     .setting_count = 1,
					     .needs = CONFIG_NEED_GATEWAY };
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(4096);
	_cleanup_(config_freep) struct config *config = NULL, *unasked = NULL,
					      *refused_config = NULL;
	int r;

	assert_int_equal(config_load(&asked, &config, &problems), 0);
	write_file("", 0602);
	unasked = load_setting(setting, &problems);
	r = config_load(&asked, &refused_config, &problems);
	unlink(path);
	assert_non_null(unasked);
	assert_int_equal(r, CONFIG_E_REFUSED);
	assert_non_null(strstr(problems.data, " has mode 0602 and must have 0600 or less"));
}

/* docs/configuration.md is made of these lines: a key, its default, a sentence. */
static void the_list_and_the_help_name_every_key(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer list = BUFFER_INIT(65536),
						help = BUFFER_INIT(65536);
	char *rest, *line;

	config_list(&list);
	config_describe(&help);
	assert_false(list.overflowed || help.overflowed);
	assert_non_null(strstr(list.data, "\ndelivery.timeout\t15s\t"));
	rest = list.data;
	while ((line = strsep(&rest, "\n")) && *line) {
		char *key = strsep(&line, "\t"), *value = strsep(&line, "\t");

		assert_true(value && *value && line && *line && !strchr(line, '\t'));
		assert_non_null(strstr(help.data, key));
	}
}

static const struct {
	const char *name, *before, *after, *changes;
} changes[] = {
	{ "nothing", "log.level=info", "log.level=info", "" },
	{ "a default that is named", "log.level=debug", "delivery.timeout=15s", "" },
	{ "a value", "delivery.timeout=5s", "delivery.timeout=6s", "delivery.timeout" },
	{ "one that was not set", "endpoint.ca.file=/a", "group.id=g",
	  "group.id,endpoint.ca.file" },
	{ "a setting of librdkafka", "kafka.client.id=a", "kafka.client.id=b", "kafka.client.id" },
	{ "one that came, one that went", "kafka.client.id=a", "kafka.sasl.password=b",
	  "kafka.client.id,kafka.sasl.password" },
	{ "apart", "log.level=info", "log.level=warn", "" },
};

static void changed_keys_are_named(void **state _unused_) {
	static const char *const apart[] = { "log.", NULL };

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(1024),
							found = BUFFER_INIT(1024);
		_cleanup_(config_freep) struct config *before = load_setting(changes[i].before,
									     &problems),
						      *after =
							  load_setting(changes[i].after, &problems);

		config_append_changes(before, after, apart, &found);
		if (strcmp(found.len ? found.data : "", changes[i].changes) != 0)
			fail_msg("%s: %s", changes[i].name, found.len ? found.data : "");
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_default),
		cmocka_unit_test(valid_settings_are_taken),
		cmocka_unit_test(wrong_settings_are_refused),
		cmocka_unit_test(values_reach_their_fields),
		cmocka_unit_test(later_sources_win),
		cmocka_unit_test(every_problem_is_named),
		cmocka_unit_test(files_are_judged_by_content_and_mode),
		cmocka_unit_test(a_secret_is_read_from_its_file),
		cmocka_unit_test(a_secret_file_that_is_not_there_is_named_visibly),
		cmocka_unit_test(secrets_are_known_by_their_words),
		cmocka_unit_test(a_missing_file_is_refused),
		cmocka_unit_test(changed_keys_are_named),
		cmocka_unit_test(the_tokens_file_is_judged_for_a_gateway),
		cmocka_unit_test(the_list_and_the_help_name_every_key),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
