#include "rdkafka/settings_judge.h"

#include "base/secret_file.h"
#include "base/suggest.h"
#include "rdkafka/broker_list.h"
#include "rdkafka/settings.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

/* --- One setting --- */

/* librdkafka tells the names of its settings as a table, one a line: `name | C/P | ...`. The caller
 * frees it. */
static char *list_settings(void) {
	char *text = NULL;
	size_t len;
	FILE *file = x_checked(open_memstream(&text, &len));

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
	const char *reason = settings_reserved(name);
	rd_kafka_conf_res_t result;
	rd_kafka_conf_t *conf;

	if (reason) {
		buffer_printf(rule, "cannot be set: %s", reason);
		return CONFIG_E_REFUSED;
	}
	conf = rd_kafka_conf_new();
	result = settings_set(conf, name, value, rule);
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

/* --- All of them together --- */

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

static void judge_brokers(struct judgement *judgement, rd_kafka_t *client) {
	const char *list = config_kafka_get(judgement->config, "bootstrap.servers");

	if (list && rd_kafka_brokers_add(client, list) != (int)broker_list_count(list))
		judgement->report(judgement->userdata, "kafka.bootstrap.servers",
				  "must be host:port,host:port");
	else if (list && !broker_list_is_valid(list))
		judgement->report(judgement->userdata, "kafka.bootstrap.servers",
				  "must be host:port,host:port, each port 1 to 65535");
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
