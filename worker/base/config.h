/*
 * The configuration as values, which config_load.h reads and everybody else borrows.
 *
 * `kafka.*` is passed through to librdkafka without its prefix. This folder does not know
 * librdkafka: its caller passes in the rules that judge these settings.
 */
#pragma once

#include "base/buffer.h"
#include "base/host_list.h"
#include "base/log.h"
#include "base/network.h"
#include "base/proxy_address.h"

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

enum { EVENT_TYPES_MAX = 256 };

struct name_list {
	char **items; /* owned; [count], each owned */
	size_t count;
};

enum { DELIVERY_THREADS_MAX = 256 };

enum signature_formats {
	SIGNATURE_FORMAT_RFC9421 = 1 << 0,
	SIGNATURE_FORMAT_STANDARD_WEBHOOKS = 1 << 1
};

/* How the worker writes an event. */
enum results_framing { RESULTS_SINGLE_OBJECT, RESULTS_CONFLUENT, RESULTS_JSON };

/* The canonical form of a schema, and so its fingerprint. The forms differ in a primitive type with
 * a logical type: {"type":"long","logicalType":"timestamp-millis"}. */
enum canonical_form {
	CANONICAL_SPECIFICATION, /* "long" */
	CANONICAL_TYPE_OBJECTS,  /* {"type":"long"}: goavro, Rust's apache-avro */
	CANONICAL_LOGICAL_TYPES, /* all of it: hamba, Python's avro */
	CANONICAL_FORM_COUNT,
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
	int64_t topic_retention_inputs_ms, topic_retention_results_ms;
	int64_t topic_retention_dead_letters_ms;
	char *schema_registry_url; /* one or several, with commas between */
	char *schema_registry_basic_auth_file;
	char *schema_registry_bearer_token_file;
	char *schema_registry_ca_file;
	char *schema_registry_certificate_file, *schema_registry_key_file;
	int64_t schema_registry_timeout_ms;
	bool schema_registry_auto_register;
	char *schema_dir; /* further writer schemas, *.avsc */
	enum results_framing results_framing;
	enum canonical_form results_fingerprint;

	char *worker_id;
	char *worker_data_dir;
	struct file_list worker_master_key_files; /* the first one derives new signing keys */
	struct listen_address worker_http_listen;

	int batch_max_records;
	int64_t batch_max_wait_ms;
	int64_t receipt_retention_ms;
	int64_t issuance_receipt_retention_ms; /* 0: none is kept */
	int64_t command_max_bytes;
	bool input_reroute;
	struct name_list event_types; /* of one's own */

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
	int64_t delivery_succeeded_retention_ms; /* 0: not kept */
	int delivery_response_excerpt_bytes;     /* of a failed attempt's answer; 0: none */

	int64_t endpoint_failing_notify_after_ms, endpoint_disable_after_ms;
	bool endpoint_allow_http;
	struct network_list endpoint_allow_networks;
	char *endpoint_ca_file;
	struct proxy_address endpoint_proxy;
	char *endpoint_proxy_password_file;
	struct host_list endpoint_proxy_except; /* reached without the proxy */
	char *endpoint_tls_certificate_file, *endpoint_tls_key_file;

	unsigned signature_formats; /* enum signature_formats */
	int64_t webhook_secret_overlap_ms;
	int64_t signing_key_overlap_ms;

	struct listen_address gateway_listen, gateway_operations_listen;
	char *gateway_tls_certificate_file;
	char *gateway_tls_key_file;
	bool gateway_allow_plaintext;
	char *gateway_tokens_file;
	char *gateway_data_dir;
	int64_t history_retention_ms;
	int64_t history_max_bytes;
	char *gateway_domain;
	char *gateway_default_tenant;
	int64_t gateway_timeout_ms;
	int gateway_max_in_flight;
	int gateway_max_connections;
	int64_t gateway_client_timeout_ms, gateway_idle_timeout_ms;

	enum log_level log_level;
	enum log_format log_format;

	char **texts; /* owned, as are the texts: of each option, as it was set; NULL: it was not */
};

/* A program's needs beyond those of every program. */
enum config_need {
	CONFIG_NEED_MASTER_KEY = 1 << 0,
	CONFIG_NEED_GATEWAY = 1 << 1,
	CONFIG_NEED_KAFKA = 1 << 2
};

enum { CONFIG_E_REFUSED = 1, CONFIG_E_UNKNOWN = 2 };

/* Receives one problem: the key, and the rule that it breaks. */
typedef void (*config_problem_fn)(void *userdata, const char *key, const char *rule);

struct config_kafka_rules {
	/*
	 * Judges one setting under librdkafka's name. Returns 0; CONFIG_E_REFUSED; or
	 * CONFIG_E_UNKNOWN when librdkafka has no such setting. In the latter two cases `rule` is
	 * the broken rule; it never contains an unknown or secret value.
	 */
	int (*judge_setting)(const char *name, const char *value, struct buffer *rule);
	/* Reports conflicts between settings that are each valid alone. */
	void (*judge_together)(const struct config *config, config_problem_fn report,
			       void *userdata);
};

/*
 * Stores a copy of librdkafka's setting `name` if the rules (NULL: none) allow it. Returns as
 * `judge_setting` of config_kafka_rules does. For each secret setting NAME there is a twin
 * `NAME.file`, of which `value` is the path of a secret file with the value of NAME.
 */
int config_kafka_set(struct config *config, const struct config_kafka_rules *rules,
		     const char *name, const char *value, struct buffer *rule) _must_check_;

/* The value of a kafka.* property under librdkafka's name, or NULL. */
const char *config_kafka_get(const struct config *config, const char *name);

/* Whether librdkafka's setting of this name holds a secret. */
bool config_kafka_is_secret(const char *name);
