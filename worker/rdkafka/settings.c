#include "rdkafka/settings.h"

#include "base/secret_file.h"
#include "base/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>
#include <unistd.h>

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
	{ "linger.ms", "5", CLIENT_PRODUCER, NULL },
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

/* Making a configuration. */

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

static rd_kafka_conf_res_t set(rd_kafka_conf_t *conf, const char *name, const char *value,
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

	if (set(conf, name, value, &rule) == RD_KAFKA_CONF_OK)
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

rd_kafka_conf_t *settings_conf_new(const struct config *config, enum client_kind kind,
				   struct buffer *why) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	if (!set_rows(conf, kind, true, why) && !set_passed_through(conf, config, why) &&
	    !set_rows(conf, kind, false, why) && !set_identity(conf, config, kind, why))
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

/* Judging one setting. */

static bool is_reserved(const char *name, struct buffer *rule) {
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].reason && strcmp(table[i].name, name) == 0) {
			buffer_printf(rule, "cannot be set: %s", table[i].reason);
			return true;
		}
	return false;
}

/* librdkafka tells the names of its settings as a table, one a line: `name | C/P | ...`. The caller
 * frees it. */
static char *list_settings(void) {
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		abort(); /* out of memory */
	rd_kafka_conf_properties_show(file);
	fclose(file);
	return text;
}

static void append_unknown(struct buffer *rule, const char *name) {
	_cleanup_(x_freep) char *list = list_settings();
	char *rest = list, *line;
	const char *found = NULL;
	size_t nearest = SIZE_MAX;

	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, " |")] = '\0';
		if (suggest_is_nearer(name, line, &nearest))
			found = line;
	}
	buffer_printf(rule, "librdkafka %s has no such setting", rd_kafka_version_str());
	if (found)
		buffer_printf(rule, "; did you mean kafka.%s?", found);
}

/* Files, and folders of files, that librdkafka opens. "probe" lets it look for the system's. */
static bool is_unreadable(const char *name, const char *value, struct buffer *rule) {
	static const char suffix[] = ".location";
	size_t len = strlen(name), suffix_len = strlen(suffix);

	if (len < suffix_len || strcmp(name + len - suffix_len, suffix) != 0 || !*value ||
	    strcmp(value, "probe") == 0 || access(value, R_OK) == 0)
		return false;
	buffer_printf(rule, "cannot be read: %s", strerror(errno));
	return true;
}

/* Who may read one of these may speak in our name: the rule for secret files is theirs, too. */
static bool is_open_secret(const char *name, const char *value, struct buffer *rule) {
	static const char *const secret_files[] = { "ssl.key.location", "ssl.keystore.location",
						    "sasl.kerberos.keytab" };
	bool is_refused = false;

	for (size_t i = 0; i < ARRAY_LEN(secret_files); i++) {
		int fd = -1;

		if (*value && strcmp(name, secret_files[i]) == 0)
			is_refused = secret_file_open(value, &fd, rule) == SECRET_FILE_E_REFUSED;
		if (fd >= 0)
			close(fd);
	}
	return is_refused;
}

static int judge_setting(const char *name, const char *value, struct buffer *rule) {
	rd_kafka_conf_t *conf;
	rd_kafka_conf_res_t result;

	if (is_reserved(name, rule))
		return CONFIG_E_REFUSED;
	conf = rd_kafka_conf_new();
	result = set(conf, name, value, rule);
	rd_kafka_conf_destroy(conf);
	if (result == RD_KAFKA_CONF_UNKNOWN) {
		buffer_clear(rule);
		append_unknown(rule, name);
		return CONFIG_E_UNKNOWN;
	}
	if (result != RD_KAFKA_CONF_OK)
		return CONFIG_E_REFUSED;
	return is_unreadable(name, value, rule) || is_open_secret(name, value, rule)
		   ? CONFIG_E_REFUSED
		   : 0;
}

/* Judging all of them together. */

struct judgement {
	const struct config *config;
	config_problem_fn report;
	void *userdata;
	struct buffer detail; /* the first error in the log of the client that is tried */
};

/* The value of a setting that a configuration has, given or default. */
static void get(const rd_kafka_conf_t *conf, const char *name, char *value, size_t size) {
	if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK)
		*value = '\0';
}

static bool is_true(const rd_kafka_conf_t *conf, const char *name) {
	char value[16];

	get(conf, name, value, sizeof(value));
	return strcmp(value, "true") == 0;
}

static const char *find_mechanism(const struct config *config, const char **key) {
	static const char *const names[] = { "sasl.mechanism", "sasl.mechanisms" };
	const char *mechanism = NULL;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = config_kafka_get(config, names[i]);

		if (value) {
			mechanism = value;
			*key = i == 0 ? "kafka.sasl.mechanism" : "kafka.sasl.mechanisms";
		}
	}
	return mechanism;
}

/*
 * librdkafka's own unsecured tokens: until 2.8 the first one that is to be renewed ends the
 * process, since it is asked for by a queue that was never made (rd_kafka_sasl_oauthbearer_init
 * returns before that).
 */
enum { UNSECURED_TOKENS_SINCE = 0x02080000 };

static const char *judge_oauthbearer(const rd_kafka_conf_t *conf) {
	char method[16], features[512];

	if (is_true(conf, "enable.sasl.oauthbearer.unsecure.jwt"))
		return rd_kafka_version() >= UNSECURED_TOKENS_SINCE
			   ? NULL
			   : "OAUTHBEARER with kafka.enable.sasl.oauthbearer.unsecure.jwt needs "
			     "librdkafka 2.8: an older one crashes when it renews a token";
	get(conf, "builtin.features", features, sizeof(features));
	if (!strstr(features, "oidc"))
		return "OAUTHBEARER needs a librdkafka with OIDC, and this one was built without";
	get(conf, "sasl.oauthbearer.method", method, sizeof(method));
	return strcmp(method, "oidc") == 0
		   ? NULL
		   : "OAUTHBEARER needs kafka.sasl.oauthbearer.method=oidc: nothing else fetches "
		     "tokens";
}

static void judge_sasl(struct judgement *judgement, const rd_kafka_conf_t *conf) {
	const char *key, *rule = NULL, *mechanism = find_mechanism(judgement->config, &key);
	char protocol[32];

	if (!mechanism)
		return;
	get(conf, "security.protocol", protocol, sizeof(protocol));
	if (strncasecmp(protocol, "sasl_", 5) != 0)
		rule = "needs kafka.security.protocol=SASL_SSL (or SASL_PLAINTEXT)";
	else if (strcasecmp(mechanism, "OAUTHBEARER") == 0)
		rule = judge_oauthbearer(conf);
	if (rule)
		judgement->report(judgement->userdata, key, rule);
}

/* A member that sends no heartbeat within its session is thrown out of its group again and again.
 */
static void judge_heartbeat(struct judgement *judgement, const rd_kafka_conf_t *conf) {
	_cleanup_(buffer_destroy) struct buffer rule = BUFFER_INIT(256);
	char session[32], heartbeat[32];

	get(conf, "session.timeout.ms", session, sizeof(session));
	get(conf, "heartbeat.interval.ms", heartbeat, sizeof(heartbeat));
	if (atoi(heartbeat) * INT64_C(2) <= atoi(session))
		return;
	buffer_printf(&rule,
		      "is %s, and must be at most half of kafka.session.timeout.ms, which is %s",
		      heartbeat, session);
	judgement->report(judgement->userdata, "kafka.heartbeat.interval.ms", rule.data);
}

/* "[thrd:app]: error:80000002:system library::No such file or directory: calling fopen(/x, r)" */
static void on_log(const rd_kafka_t *client, int level, const char *facility _unused_,
		   const char *text) {
	struct judgement *judgement = rd_kafka_opaque(client);
	const char *prefix = "[thrd:app]: ";

	if (level > 3 || !judgement || judgement->detail.len)
		return;
	buffer_append_string(&judgement->detail, strncmp(text, prefix, strlen(prefix)) == 0
						     ? text + strlen(prefix)
						     : text);
}

/* Where a token would be asked for at once, nobody is asked: the client that is tried has nobody to
 * connect to. */
static void on_token_refresh(rd_kafka_t *client _unused_, const char *config _unused_,
			     void *opaque _unused_) {
}

static size_t count_brokers(const char *list) {
	size_t count = 1;

	for (const char *p = list; *p; p++)
		count += *p == ',';
	return count;
}

/* Of `host`, `host:port` and `[address]:port`, after whatever protocol: librdkafka reads a port as
 * far as it is a number. */
static bool has_good_port(const char *broker, size_t len) {
	const char *end = broker + len, *bracket = memrchr(broker, ']', len);
	const char *colon =
	    memrchr(bracket ? bracket : broker, ':', (size_t)(end - (bracket ? bracket : broker)));
	char *rest;
	long port;

	if (!colon || colon[1] == '/' ||
	    (!bracket && memchr(broker, ':', len) != colon && colon[-1] == ':'))
		return true;
	if (!isdigit((unsigned char)colon[1]))
		return false;
	port = strtol(colon + 1, &rest, 10);
	while (rest < end && *rest == ' ')
		rest++;
	return rest == end && port >= 1 && port <= UINT16_MAX;
}

/* librdkafka takes an empty one for localhost. */
static bool has_host(const char *broker, size_t len) {
	const char *end = broker + len, *protocol = memmem(broker, len, "://", 3),
		   *host = protocol ? protocol + 3 : broker;

	while (host < end && *host == ' ')
		host++;
	return host < end && *host != ':' && strncmp(host, "[]", 2) != 0;
}

static bool are_good_brokers(const char *list) {
	for (const char *end; *list; list = *end ? end + 1 : end) {
		end = strchrnul(list, ',');
		if (!has_host(list, (size_t)(end - list)) ||
		    !has_good_port(list, (size_t)(end - list)))
			return false;
	}
	return true;
}

static void judge_brokers(struct judgement *judgement, rd_kafka_t *client) {
	const char *list = config_kafka_get(judgement->config, "bootstrap.servers");

	if (list && rd_kafka_brokers_add(client, list) != (int)count_brokers(list))
		judgement->report(judgement->userdata, "kafka.bootstrap.servers",
				  "must be host:port,host:port");
	else if (list && !are_good_brokers(list))
		judgement->report(judgement->userdata, "kafka.bootstrap.servers",
				  "must be host:port,host:port, each port 1 to 65535");
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

/* Makes a client, without brokers and thus without a connection, and lets go of it. Returns what
 * librdkafka found, in `words`. */
static bool is_refused(struct judgement *judgement, enum client_kind kind, rd_kafka_conf_t *conf,
		       char *words, size_t size) {
	rd_kafka_t *client;

	rd_kafka_conf_set_opaque(conf, judgement);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (!is_true(conf, "enable.sasl.oauthbearer.unsecure.jwt"))
		rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_refresh);
	client = settings_client_new(kind, conf, false, words, size);
	if (!client)
		return errno != EDEADLK;
	if (settings_produces(kind))
		judge_brokers(judgement, client);
	rd_kafka_destroy(client);
	return false;
}

/* The same configuration without its brokers. */
static rd_kafka_conf_t *conf_without_brokers(const struct config *config, enum client_kind kind,
					     struct buffer *why) {
	_cleanup_(x_freep) struct kafka_property *rest =
	    x_calloc(config->kafka_count, sizeof(*rest));
	struct config copy = *config; /* shallow: borrows all but the list */

	copy.kafka = rest;
	copy.kafka_count = 0;
	for (size_t i = 0; i < config->kafka_count; i++)
		if (strcmp(config->kafka[i].name, "bootstrap.servers") != 0)
			rest[copy.kafka_count++] = config->kafka[i];
	return settings_conf_new(&copy, kind, why);
}

static void judge_together(const struct config *config, config_problem_fn report, void *userdata) {
	static const enum client_kind kinds[] = { CLIENT_GROUP, CLIENT_PRODUCER };
	struct judgement judgement = { .config = config, .report = report, .userdata = userdata };
	char words[ARRAY_LEN(kinds)][512] = { "" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
		rd_kafka_conf_t *conf = conf_without_brokers(config, kinds[i], &why);

		if (!conf) {
			report(userdata, "kafka.*", why.data);
			continue;
		}
		if (i == 0) {
			judge_sasl(&judgement, conf);
			judge_heartbeat(&judgement, conf);
		}
		judgement.detail = BUFFER_INIT(1024);
		if (is_refused(&judgement, kinds[i], conf, words[i], sizeof(words[i])) &&
		    (i == 0 || strcmp(words[i], words[0]) != 0)) {
			buffer_append_string(&why, words[i]);
			if (judgement.detail.len)
				buffer_printf(&why, " (%s)", judgement.detail.data);
			report(userdata, "kafka.*", why.data);
		}
		buffer_destroy(&judgement.detail);
	}
}

const struct config_kafka_rules settings_rules = { .judge_setting = judge_setting,
						   .judge_together = judge_together };
