/*
 * The configuration: one table of options (options.c) from which parsing, checking, `--help`, the
 * manual page's list and the README's table all follow. Sources, later ones winning: the file
 * (Java-style properties), the environment (POSTHORN_DELIVERY_TIMEOUT for delivery.timeout), `--set
 * key=value`.
 *
 * `kafka.*` is passed through to librdkafka without its prefix. Nobody here knows librdkafka: who
 * does hands in the rules by which these settings are judged.
 *
 * A problem names a key and the rule that it breaks. It never repeats a value that is a secret, or
 * may be one: of a key that is not known.
 */
#pragma once

#include "base/buffer.h"
#include "base/log.h"
#include "base/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "[::1]:9464" or "127.0.0.1:9464"; port 0 lets the system choose. */
struct listen_address {
	char *host; /* owned, without brackets */
	uint16_t port;
};

struct file_list {
	char **items; /* owned; [count], each owned */
	size_t count;
};

enum { DELIVERY_THREADS_MAX = 256 };

enum signature_formats {
	SIGNATURE_FORMAT_RFC9421 = 1 << 0,
	SIGNATURE_FORMAT_STANDARD_WEBHOOKS = 1 << 1
};

struct kafka_property {
	char *name;  /* owned; librdkafka's name */
	char *value; /* owned */
};

/* Durations are in milliseconds. Strings are owned and NULL where the table says "none". */
struct config {
	struct kafka_property *kafka;
	size_t kafka_count;
	char *group_id;
	char *topic_prefix;
	int topic_partitions;
	int topic_replication_factor; /* -1: the broker's */
	char *schema_registry_url;
	char *schema_dir; /* more writer schemas, *.avsc */

	char *worker_id;
	char *worker_data_dir;
	struct file_list worker_master_key_files; /* the first one's key derives new signing keys */
	struct listen_address worker_http_listen;

	int batch_max_records;
	int64_t batch_max_wait_ms;
	int64_t receipt_retention_ms;
	int64_t issuance_receipt_retention_ms; /* 0: none kept */
	int64_t command_max_bytes;

	int tenant_max_webhooks;
	int tenant_max_signing_keys;
	int tenant_max_pending_deliveries;

	int delivery_threads; /* 1 to DELIVERY_THREADS_MAX */
	int64_t delivery_connect_timeout_ms;
	int64_t delivery_timeout_ms;
	int64_t *delivery_retry_schedule_ms; /* owned; [delivery_retry_count] */
	size_t delivery_retry_count;
	double delivery_retry_jitter; /* 0..1 */
	int delivery_max_in_flight;
	int delivery_max_in_flight_per_endpoint;
	int delivery_max_connections_per_host;
	int64_t delivery_connection_lifetime_ms;
	int delivery_breaker_failures;
	int64_t delivery_breaker_probe_interval_ms;
	int64_t delivery_dead_retention_ms;

	int64_t endpoint_disable_after_ms;
	bool endpoint_allow_http;
	struct network_list endpoint_allow_networks;
	char *endpoint_ca_file;

	unsigned signature_formats; /* enum signature_formats */
	int64_t signing_key_overlap_ms;

	struct listen_address gateway_listen, gateway_operations_listen;
	char *gateway_tls_certificate_file;
	char *gateway_tls_key_file;
	bool gateway_allow_plaintext;
	char *gateway_tokens_file;
	char *gateway_domain;
	char *gateway_default_tenant;
	int64_t gateway_timeout_ms;
	int gateway_max_in_flight;
	int gateway_max_connections;
	int64_t gateway_client_timeout_ms, gateway_idle_timeout_ms;

	enum log_level log_level;
	enum log_format log_format;
};

/* What a program asks of the configuration beyond what every program needs. */
enum config_need {
	CONFIG_NEED_MASTER_KEY = 1 << 0,
	CONFIG_NEED_GATEWAY = 1 << 1,
	CONFIG_NEED_KAFKA = 1 << 2
};

/* Takes one problem: the key, and the rule that it breaks. */
typedef void (*config_problem_fn)(void *userdata, const char *key, const char *rule);

struct config_kafka_rules {
	/*
	 * Whether one setting may be given, by librdkafka's name. Returns 0; CONFIG_E_REFUSED; or
	 * CONFIG_E_UNKNOWN where there is no such setting; each with the rule that it breaks,
	 * without the value of one that is unknown or a secret.
	 */
	int (*judge_setting)(const char *name, const char *value, struct buffer *rule);
	/* Reports what is wrong with all settings together, each of which was found right alone. */
	void (*judge_together)(const struct config *config, config_problem_fn report,
			       void *userdata);
};

struct config_source {
	const char *file;            /* NULL: none */
	char *const *environment;    /* NULL-terminated NAME=value, or NULL */
	const char *const *settings; /* "key=value", in order */
	size_t setting_count;
	unsigned needs;                               /* enum config_need */
	const struct config_kafka_rules *kafka_rules; /* NULL: kafka.* is not judged */
};

enum { CONFIG_E_REFUSED = 1, CONFIG_E_UNKNOWN = 2 };

/*
 * Reads all sources into a new configuration. Returns 0; CONFIG_E_REFUSED with one line a problem
 * in `problems`, each naming the source, the key and the rule that it breaks; or a negative errno.
 * Unknown POSTHORN_ variables are warnings in the log (Kubernetes makes some:
 * POSTHORN_KAFKA_SERVICE_HOST, where there is a Service posthorn-kafka), and otherwise ignored. A
 * configuration file that others may write to, or one with a password that others may read, is
 * refused, and a tokens file that secret_file.h refuses.
 */
int config_load(const struct config_source *source, struct config **out,
		struct buffer *problems) _must_check_;
void config_free(struct config *config);
DEFINE_CLEANUP(struct config, config_free)

/* The value of a kafka.* property by librdkafka's name, or NULL. */
const char *config_kafka_get(const struct config *config, const char *name);

/* Whether librdkafka's setting of this name holds a secret. */
bool config_kafka_is_secret(const char *name);

/*
 * Whether `key` was probably meant to be `candidate`, and rather so than the candidates before it;
 * `*nearest` keeps how near the best of them is, and begins as SIZE_MAX.
 */
bool config_key_is_nearer(const char *key, const char *candidate, size_t *nearest);

/* The option table as text for `--help`, as items of a page of the manual, and as
 * `key<TAB>default<TAB>help` lines for the check that the README names them all. */
void config_describe(struct buffer *out);
void config_list(struct buffer *out);
void config_append_manual(struct buffer *out);
