#include "rdkafka/settings.h"

#include "base/log.h"
#include "rdkafka/refusal.h"

#include <errno.h>
#include <stdatomic.h>
#include <strings.h>

struct setting {
	const char *name;
	const char *value; /* NULL: none is set from this table */
	unsigned clients;  /* enum client_kind: those for which it is set */
	const char
	    *reason; /* why `kafka.*` may not set it; NULL: it may, and `value` is the default */
};

enum {
	WORKERS_READERS = CLIENT_GROUP | CLIENT_RESTORE,
	READERS = WORKERS_READERS | CLIENT_READER,
	PRODUCERS = CLIENT_PRODUCER | CLIENT_SENDER,
	ALL = READERS | PRODUCERS | CLIENT_WATERMARK | CLIENT_ADMIN_API,
};

#define COMMITTED "what an aborted transaction wrote must not be read"
#define OFFSETS "offsets are committed in the transaction of what follows from them"
#define ORDER "records must arrive once and in order"
#define OWNER "a tenant is one partition, and a partition has one owner"
#define MEMBER "the group's classic protocol with static members is built upon"

static const struct setting table[] = {
	{ "group.id", NULL, 0, "it follows from group.id" },
	{ "group.instance.id", NULL, 0, "it follows from worker.id" },
	{ "transactional.id", NULL, 0, "it follows from group.id and worker.id" },
	{ "metadata.broker.list", NULL, 0, "it is called kafka.bootstrap.servers here" },

	{ "isolation.level", "read_committed", READERS, COMMITTED },
	{ "isolation.level", "read_uncommitted", CLIENT_WATERMARK, COMMITTED },
	{ "auto.offset.reset", "error", WORKERS_READERS,
	  "a record that is gone must be noticed, not skipped" },
	{ "auto.offset.reset", "earliest", CLIENT_READER,
	  "a record that is gone must be noticed, not skipped" },
	{ "enable.auto.commit", "false", READERS | CLIENT_WATERMARK, OFFSETS },
	{ "auto.commit.enable", NULL, 0, OFFSETS },
	{ "enable.auto.offset.store", "false", READERS, OFFSETS },
	{ "enable.partition.eof", "false", CLIENT_GROUP, "a restore ends where a partition ends" },
	{ "enable.partition.eof", "true", CLIENT_RESTORE | CLIENT_READER,
	  "a restore ends where a partition ends" },

	{ "partition.assignment.strategy", "range", CLIENT_GROUP, OWNER },
	{ "group.protocol", NULL, 0, MEMBER },
	{ "group.protocol.type", NULL, 0, MEMBER },
	{ "group.remote.assignor", NULL, 0, MEMBER },

	{ "enable.idempotence", "true", PRODUCERS, ORDER },
	{ "acks", NULL, 0, ORDER },
	{ "request.required.acks", NULL, 0, ORDER },
	{ "enable.gapless.guarantee", NULL, 0, ORDER },
	{ "max.in.flight", NULL, 0, ORDER },
	{ "max.in.flight.requests.per.connection", NULL, 0, ORDER },
	{ "queuing.strategy", NULL, 0, ORDER },
	{ "batch.num.messages", NULL, 0,
	  "a replay of dead letters sends each in a batch of its own; batch.size bounds the "
	  "others" },
	{ "partitioner", "murmur2_random", PRODUCERS, OWNER },
	{ "transaction.timeout.ms", "15000", CLIENT_PRODUCER,
	  "it bounds how long a dead worker's transaction holds others up" },
	{ "message.timeout.ms", "12000", CLIENT_PRODUCER,
	  "it must end before the transaction does" },
	{ "delivery.timeout.ms", NULL, 0, "it must end before the transaction does" },
	{ "message.max.bytes", "10485760", ALL,
	  "a topic's own max.message.bytes decides what it takes" },

	{ "allow.auto.create.topics", "false", ALL,
	  "posthorn-admin topics create makes them as they must be" },
	{ "socket.nagle.disable", "true", ALL, "small requests must not wait for each other" },
	{ "log.connection.close", "false", ALL, "log.level decides what is logged" },
	{ "log_level", NULL, 0, "log.level decides what is logged" },
	{ "log.queue", NULL, 0, "log.level decides what is logged" },

	/* The session timeout bounds how long a dead worker's partitions wait for another owner. */
	{ "session.timeout.ms", "10000", CLIENT_GROUP, NULL },
	{ "heartbeat.interval.ms", "1000", CLIENT_GROUP, NULL },
	/* Of each partition of the inputs: none is queued behind another's
	   (worker/pipeline/inputs.h). */
	{ "queued.min.messages", "1000", CLIENT_GROUP, NULL },
	{ "queued.max.messages.kbytes", "512", CLIENT_GROUP, NULL },
	{ "fetch.message.max.bytes", "262144", CLIENT_GROUP, NULL },
	{ "queued.max.messages.kbytes", "32768", CLIENT_RESTORE, NULL },
	/* A fetch at the end waits this long at the broker, and with it the news that the end is
	   reached. */
	{ "fetch.wait.max.ms", "10", CLIENT_RESTORE, NULL },
	{ "fetch.wait.max.ms", "50", CLIENT_READER, NULL },
	/* A turn ends with a flush, which does not wait. Only a full batch is sent before: a
	   request for each few records is most of what they cost. */
	{ "linger.ms", "100", CLIENT_PRODUCER, NULL },
	{ "linger.ms", "0", CLIENT_SENDER, NULL },
	{ "queue.buffering.max.messages", "500000", CLIENT_PRODUCER, NULL },
	{ "queue.buffering.max.kbytes", "262144", CLIENT_PRODUCER, NULL },
	{ "compression.type", "lz4", CLIENT_SENDER, NULL },
};

bool settings_produces(enum client_kind kind) {
	return kind & PRODUCERS;
}

bool settings_line_is_secret(const char *line) {
	return strstr(line, "client.secret = ");
}

char *settings_transactional_id(const struct config *config) {
	return x_asprintf("%s-%s", config->group_id, config->worker_id);
}

const char *settings_reserved(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].reason && strcmp(table[i].name, name) == 0)
			return table[i].reason;
	return NULL;
}

/* --- Making a configuration --- */

/* librdkafka's own words, which quote the value: not of a secret. */
static void append_refusal(struct buffer *why, const char *name, const char *words) {
	size_t len = strlen(words);

	while (len && words[len - 1] == ' ')
		len--;
	if (config_kafka_is_secret(name))
		buffer_append_string(why, "librdkafka refuses its value");
	else
		buffer_append(why, words, len);
}

rd_kafka_conf_res_t settings_set(rd_kafka_conf_t *conf, const char *name, const char *value,
				 struct buffer *why) {
	char words[512] = "";
	rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, words, sizeof(words));

	if (result != RD_KAFKA_CONF_OK)
		append_refusal(why, name, words);
	return result;
}

static int set_or_name(rd_kafka_conf_t *conf, const char *name, const char *value,
		       struct buffer *why) {
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(1024);

	if (settings_set(conf, name, value, &rule) == RD_KAFKA_CONF_OK)
		return 0;
	buffer_printf(why, "kafka.%s: %s", name, rule.data);
	return CONFIG_E_REFUSED;
}

static int set_rows(rd_kafka_conf_t *conf, enum client_kind kind, bool defaults,
		    struct buffer *why) {
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].clients & kind && !table[i].reason == defaults &&
		    set_or_name(conf, table[i].name, table[i].value, why))
			return CONFIG_E_REFUSED;
	return 0;
}

/* Settings of the other kind of client are only warned of by librdkafka, so one set serves both. */
static int set_passed_through(rd_kafka_conf_t *conf, const struct config *config,
			      struct buffer *why) {
	for (size_t i = 0; i < config->kafka_count; i++)
		if (set_or_name(conf, config->kafka[i].name, config->kafka[i].value, why))
			return CONFIG_E_REFUSED;
	return 0;
}

/*
 * The reader of a changelog never joins its group. librdkafka wants a group id wherever partitions
 * are assigned, and looks for that group's coordinator: of the worker's own group, which its
 * principal may use anyway.
 */
static int set_identity(rd_kafka_conf_t *conf, const struct config *config, enum client_kind kind,
			struct buffer *why) {
	_cleanup_(x_freep) char *transactional_id = settings_transactional_id(config);

	if (kind == CLIENT_PRODUCER)
		return set_or_name(conf, "transactional.id", transactional_id, why);
	if (kind & READERS && set_or_name(conf, "group.id", config->group_id, why))
		return CONFIG_E_REFUSED;
	return kind == CLIENT_GROUP ? set_or_name(conf, "group.instance.id", config->worker_id, why)
				    : 0;
}

/* As Kafka's ACLs call this login; the certificate's subject is not read here. */
static char *principal_of(const struct config *config) {
	const char *protocol = config_kafka_get(config, "security.protocol"),
		   *user = config_kafka_get(config, "sasl.username"),
		   *kerberos = config_kafka_get(config, "sasl.kerberos.principal");

	if (!protocol || strcasecmp(protocol, "plaintext") == 0)
		return x_strdup("User:ANONYMOUS");
	if (strcasecmp(protocol, "ssl") == 0)
		return x_strdup("the subject of kafka.ssl.certificate.location");
	if (user || kerberos)
		return x_asprintf("User:%s", user ? user : kerberos);
	return x_strdup("the login of kafka.sasl.*");
}

static void know_login(const struct config *config) {
	static atomic_bool is_warned;
	_cleanup_(x_freep) char *principal = principal_of(config);
	const char *mechanism = config_kafka_get(config, "sasl.mechanism");
	bool is_scram;

	if (!mechanism)
		mechanism = config_kafka_get(config, "sasl.mechanisms");
	is_scram = mechanism && strncasecmp(mechanism, "SCRAM-", 6) == 0;
	refusal_know_login(principal, is_scram);
	if (is_scram && refusal_scram_is_broken() && !atomic_exchange(&is_warned, true))
		log_warn("this librdkafka cannot log in to Kafka 4.0 or later with SCRAM",
			 "mechanism=%s librdkafka=%s needs=2.6.1 instead=%s", mechanism,
			 rd_kafka_version_str(),
			 log_quote("kafka.sasl.mechanism=PLAIN, or posthorn on Debian 13"));
}

rd_kafka_conf_t *settings_conf_new(const struct config *config, enum client_kind kind,
				   struct buffer *why) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	know_login(config);
	if (!set_rows(conf, kind, true, why) && !set_passed_through(conf, config, why) &&
	    !set_rows(conf, kind, false, why) && !set_identity(conf, config, kind, why))
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

rd_kafka_t *settings_client_new(enum client_kind kind, rd_kafka_conf_t *conf, bool has_interceptors,
				char *error, size_t error_size) {
	rd_kafka_t *client =
	    rd_kafka_new(settings_produces(kind) ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf,
			 error, error_size);

	/*
	 * After EDEADLK the half-made client lives on, with what the configuration points to. And a
	 * list of interceptors was freed together with the copy that a client begins with
	 * (librdkafka 2.0.2 to 2.8): it would be freed twice.
	 */
	if (!client && errno != EDEADLK && !has_interceptors) {
		int error_number = errno;

		rd_kafka_conf_destroy(conf);
		errno = error_number;
	}
	return client;
}
