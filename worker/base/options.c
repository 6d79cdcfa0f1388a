#include "base/config.h"
#include "base/option.h"
#include "base/suggest.h"

#define FIELD(name) offsetof(struct config, name)
#define SECONDS(n) ((n) * INT64_C(1000))
#define DAYS(n) ((n) * INT64_C(86400000))

enum {
	PATH_BYTES = 4095, /* PATH_MAX without its NUL */
	/* Source: Kafka 4.1, Topic.MAX_NAME_LENGTH = 249; webhook-dead-letters, the longest
	 * name, has 20. */
	TOPIC_PREFIX_BYTES = 229,
};

const struct option options[] = {
	{ "kafka.bootstrap.servers", NULL, 0, NULL, "required", 0, 0,
	  "The brokers to connect to first: host:port,host:port." },
	{ "kafka.*", NULL, 0, NULL, "passed through", 0, 0,
	  "A setting of librdkafka under its own name (TLS, SASL and others). Each secret one has "
	  "a "
	  "twin that names a secret file with its value: kafka.sasl.password.file, "
	  "kafka.ssl.key.password.file and so on." },
	{ "group.id", &option_name, FIELD(group_id), "posthorn", NULL, 1, 128,
	  "The consumer group: all workers that share the work." },
	{ "topic.prefix", &option_name, FIELD(topic_prefix), "", "empty", 0, TOPIC_PREFIX_BYTES,
	  "A prefix of every topic's name." },
	{ "topic.partitions", &option_int, FIELD(topic_partitions), "12", NULL, 1, 10000,
	  "The number of partitions that topics create gives the command topics and the "
	  "changelog." },
	{ "topic.replication.factor", &option_count_or_broker, FIELD(topic_replication_factor),
	  "-1", NULL, -1, 100,
	  "The replication factor that topics create gives every topic; -1: the broker's "
	  "default." },
	{ "topic.retention.inputs", &option_duration, FIELD(topic_retention_inputs_ms), "7d", NULL,
	  SECONDS(60), DAYS(3650),
	  "How long topics create keeps commands and events: longer than all workers may be down "
	  "or behind." },
	{ "topic.retention.results", &option_duration, FIELD(topic_retention_results_ms), "30d",
	  NULL, SECONDS(60), DAYS(3650), "How long topics create keeps results." },
	{ "topic.retention.dead.letters", &option_duration, FIELD(topic_retention_dead_letters_ms),
	  "14d", NULL, SECONDS(60), DAYS(3650),
	  "How long topics create keeps dead letters, and so how long one can be replayed." },
	{ "schema.registry.url", &option_urls, FIELD(schema_registry_url), NULL, NULL, 0, 2048,
	  "The schema registry for records in Confluent's frame. With several urls, a,b: the next "
	  "is asked where one does not answer." },
	{ "schema.registry.basic.auth.file", &option_text, FIELD(schema_registry_basic_auth_file),
	  NULL, NULL, 0, PATH_BYTES,
	  "The secret file with the user and the password for the registry, user:password." },
	{ "schema.registry.bearer.token.file", &option_text,
	  FIELD(schema_registry_bearer_token_file), NULL, NULL, 0, PATH_BYTES,
	  "The secret file with the bearer token for the registry." },
	{ "schema.registry.ca.file", &option_text, FIELD(schema_registry_ca_file), NULL,
	  "the system's", 0, PATH_BYTES,
	  "The certificate authorities (PEM) that are trusted for the registry." },
	{ "schema.registry.certificate.file", &option_text, FIELD(schema_registry_certificate_file),
	  NULL, NULL, 0, PATH_BYTES,
	  "The client certificate with its chain (PEM) for the registry." },
	{ "schema.registry.key.file", &option_text, FIELD(schema_registry_key_file), NULL, NULL, 0,
	  PATH_BYTES, "The secret file with the client certificate's private key (PEM)." },
	{ "schema.registry.timeout", &option_duration, FIELD(schema_registry_timeout_ms), "5s",
	  NULL, 10, SECONDS(60),
	  "The timeout for a request to the registry, connecting included. No delivery waits for "
	  "it." },
	{ "schema.registry.auto.register", &option_bool, FIELD(schema_registry_auto_register),
	  "true", NULL, 0, 0,
	  "Whether the worker registers the schema of its results; otherwise schemas register "
	  "does." },
	{ "schema.dir", &option_text, FIELD(schema_dir), NULL, NULL, 0, PATH_BYTES,
	  "A folder with further writer schemas, *.avsc." },
	{ "results.framing", &option_results_framing, FIELD(results_framing), "single-object", NULL,
	  0, 0,
	  "The frame of the events that the worker writes: single-object (Avro), confluent (Avro, "
	  "needs schema.registry.url), or json. Commands are read in any of them." },
	{ "results.fingerprint", &option_canonical_form, FIELD(results_fingerprint),
	  "specification", NULL, 0, 0,
	  "The form of the schema's fingerprint in the events that the worker writes: "
	  "specification "
	  "(Java, fastavro), type-objects (goavro, Rust's apache-avro) or logical-types (hamba, "
	  "Python's avro). Commands are read with any of them." },

	{ "worker.id", &option_name, FIELD(worker_id), NULL, "the host's name", 1, 128,
	  "The worker's identity: unique in the group and kept over restarts." },
	{ "worker.data.dir", &option_text, FIELD(worker_data_dir), "posthorn-data", NULL, 1,
	  PATH_BYTES, "The folder of the replica. It may be deleted." },
	{ "worker.master.key.file", &option_files, FIELD(worker_master_key_files), NULL, "required",
	  1, PATH_BYTES,
	  "The secret file with the master key, from which signing keys are derived. With several, "
	  "a,b: new signing keys are derived from the first, existing ones from whichever they "
	  "name. Rolling the master key needs that." },
	{ "worker.http.listen", &option_listen, FIELD(worker_http_listen), "127.0.0.1:9464", NULL,
	  0, 0, "Where the worker serves /metrics, /livez and /readyz." },

	{ "batch.max.records", &option_int, FIELD(batch_max_records), "2000", NULL, 1, 100000,
	  "The maximum number of commands in one transaction." },
	{ "batch.max.wait", &option_duration, FIELD(batch_max_wait_ms), "200ms", NULL, 0,
	  SECONDS(5),
	  "The maximum time in which a transaction collects and handles commands. Where commits "
	  "take longer it is the time of the last commit, up to 1s." },
	{ "receipt.retention", &option_duration, FIELD(receipt_retention_ms), "24h", NULL,
	  SECONDS(1), DAYS(90), "How long a repeated command id gets the same answer." },
	{ "issuance.receipt.retention", &option_duration, FIELD(issuance_receipt_retention_ms), "0",
	  NULL, 0, DAYS(90), "The same for issuance commands; 0: receipts are not kept." },
	{ "command.max.bytes", &option_size, FIELD(command_max_bytes), "524288", NULL, 1024,
	  64 << 20,
	  "The maximum size of a command, and of its headers. A larger record becomes a dead "
	  "letter." },
	{ "input.reroute", &option_bool, FIELD(input_reroute), "true", NULL, 0, 0,
	  "Whether a command in another partition than its key's is handed on to the right one. If "
	  "not, it becomes a dead letter." },
	{ "event.types", &option_event_types, FIELD(event_types), NULL, "none", 0, 0,
	  "The types of event of one's own, a,b: webhooks may subscribe to them, and "
	  "webhook-events may carry them. The same for all workers and gateways." },

	{ "tenant.max.webhooks", &option_int, FIELD(tenant_max_webhooks), "10000", NULL, 1, 1000000,
	  "The maximum number of webhooks of a tenant. Beyond it, creating one is refused with "
	  "409." },
	{ "tenant.max.signing.keys", &option_int, FIELD(tenant_max_signing_keys), "100", NULL, 2,
	  1000,
	  "The maximum number of keys in a tenant's JWKS, replaced keys included until "
	  "signing.key.overlap ends. Beyond it, a rotation is refused with 409." },
	{ "tenant.max.pending.deliveries", &option_int, FIELD(tenant_max_pending_deliveries),
	  "1000000", NULL, 1, 1000000000,
	  "The maximum number of pending deliveries of a tenant. Beyond it, an issuance, a test or "
	  "a recovery is refused with 429." },

	{ "delivery.threads", &option_int, FIELD(delivery_threads), NULL, "CPUs", 1,
	  DELIVERY_THREADS_MAX,
	  "The number of threads that send callbacks. CPUs are those that the process may use "
	  "(affinity, cgroup quota)." },
	{ "delivery.connect.timeout", &option_duration, FIELD(delivery_connect_timeout_ms), "5s",
	  NULL, 1, SECONDS(600), "The timeout for connecting, TLS handshake included." },
	{ "delivery.timeout", &option_duration, FIELD(delivery_timeout_ms), "15s", NULL, 1,
	  SECONDS(600), "The timeout for a whole attempt, the response's body included." },
	{ "delivery.retry.schedule", &option_retry_schedule, FIELD(delivery_retry_schedule_ms),
	  "5s,5m,30m,2h,5h,10h,10h", NULL, 1, DAYS(30), "The wait before each further attempt." },
	{ "delivery.retry.jitter", &option_ratio, FIELD(delivery_retry_jitter), "0.2", NULL, 0, 1,
	  "The fraction by which a wait varies randomly, up and down." },
	{ "delivery.max.in.flight", &option_int, FIELD(delivery_max_in_flight), "4096", NULL, 1,
	  1000000, "The maximum number of concurrent attempts of the worker." },
	{ "delivery.max.in.flight.per.endpoint", &option_int,
	  FIELD(delivery_max_in_flight_per_endpoint), "64", NULL, 1, 100000,
	  "The maximum number of concurrent attempts to one webhook." },
	{ "delivery.max.connections.per.host", &option_int,
	  FIELD(delivery_max_connections_per_host), "256", NULL, 1, 100000,
	  "The maximum number of concurrent connections to one host." },
	{ "delivery.connection.lifetime", &option_duration, FIELD(delivery_connection_lifetime_ms),
	  "5m", NULL, SECONDS(1), DAYS(1),
	  "How long a connection is reused. A change of the host's address is followed after this "
	  "time at the latest." },
	{ "delivery.breaker.failures", &option_int, FIELD(delivery_breaker_failures), "10", NULL, 1,
	  1000000,
	  "The number of consecutive failures that opens an endpoint's breaker. From then on it "
	  "only gets probes." },
	{ "delivery.breaker.probe.interval", &option_duration,
	  FIELD(delivery_breaker_probe_interval_ms), "30s", NULL, 1, DAYS(1),
	  "The time between two probes." },
	{ "delivery.response.excerpt.bytes", &option_int, FIELD(delivery_response_excerpt_bytes),
	  "1024", NULL, 0, 16384,
	  "The first bytes of the answer to a failed attempt that its event shows to the tenant, "
	  "where they are text; 0: none." },
	{ "delivery.dead.retention", &option_duration, FIELD(delivery_dead_retention_ms), "14d",
	  NULL, 0, DAYS(365), "How long a dead delivery can be recovered." },
	{ "delivery.succeeded.retention", &option_duration, FIELD(delivery_succeeded_retention_ms),
	  "0s", NULL, 0, DAYS(365),
	  "How long a delivery that succeeded can be sent again; 0: not at all. Each is kept "
	  "whole." },

	{ "endpoint.failing.notify.after", &option_duration,
	  FIELD(endpoint_failing_notify_after_ms), "15m", NULL, 1, DAYS(365),
	  "A tenant is told of a failing endpoint after this time without one success." },
	{ "endpoint.disable.after", &option_duration, FIELD(endpoint_disable_after_ms), "5d", NULL,
	  1, DAYS(365), "A webhook is disabled after failing for this time without one success." },
	{ "endpoint.allow.http", &option_bool, FIELD(endpoint_allow_http), "false", NULL, 0, 0,
	  "Whether a webhook's url may be http." },
	{ "endpoint.allow.networks", &option_networks, FIELD(endpoint_allow_networks), NULL, NULL,
	  0, 0, "Private networks that callbacks may reach: 10.0.0.0/8,fd00::/8." },
	{ "endpoint.ca.file", &option_text, FIELD(endpoint_ca_file), NULL, "the system's", 0,
	  PATH_BYTES, "The certificate authorities (PEM) that are trusted for endpoints." },
	{ "endpoint.proxy", &option_proxy, FIELD(endpoint_proxy), NULL, NULL, 0, 0,
	  "The forward proxy that callbacks go through, http://[user:password@]host:port. It has "
	  "to guard the addresses, which the worker cannot see then." },
	{ "endpoint.proxy.password.file", &option_text, FIELD(endpoint_proxy_password_file), NULL,
	  NULL, 0, PATH_BYTES, "The secret file with the password of the user of endpoint.proxy." },
	{ "endpoint.proxy.except", &option_hosts, FIELD(endpoint_proxy_except), NULL, NULL, 0, 0,
	  "Hosts that are reached without the proxy: 10.0.0.0/8 for addresses in urls, "
	  "corp.example for the name and those below it, .corp.example for those below it." },
	{ "endpoint.tls.certificate.file", &option_text, FIELD(endpoint_tls_certificate_file), NULL,
	  NULL, 0, PATH_BYTES,
	  "The client certificate with its chain (PEM), for endpoints that ask for one. It is read "
	  "again when it changes." },
	{ "endpoint.tls.key.file", &option_text, FIELD(endpoint_tls_key_file), NULL, NULL, 0,
	  PATH_BYTES, "The secret file with the client certificate's private key (PEM)." },

	{ "signature.formats", &option_signature_formats, FIELD(signature_formats),
	  "rfc9421,standard-webhooks", NULL, 0, 0,
	  "The signature formats of a callback whose webhook names none." },
	{ "signing.key.overlap", &option_duration, FIELD(signing_key_overlap_ms), "24h", NULL, 0,
	  DAYS(365), "How long a replaced key stays in the JWKS." },
	{ "webhook.secret.overlap", &option_duration, FIELD(webhook_secret_overlap_ms), "24h", NULL,
	  0, DAYS(365), "How long a webhook's replaced secret signs beside the new one." },

	{ "gateway.listen", &option_listen, FIELD(gateway_listen), "127.0.0.1:8080", NULL, 0, 0,
	  "Where the gateway serves the HTTP API. Beyond loopback it needs TLS or "
	  "gateway.allow.plaintext." },
	{ "gateway.operations.listen", &option_listen, FIELD(gateway_operations_listen),
	  "127.0.0.1:9465", NULL, 0, 0, "Where the gateway serves /metrics, /livez and /readyz." },
	{ "gateway.tokens.file", &option_text, FIELD(gateway_tokens_file), NULL,
	  "required to serve", 1, PATH_BYTES,
	  "The secret file with the hashes of the tenants' tokens." },
	{ "gateway.data.dir", &option_text, FIELD(gateway_data_dir), "posthorn-gateway-data", NULL,
	  1, PATH_BYTES, "The folder of the gateway's history. It may be deleted." },
	{ "history.retention", &option_duration, FIELD(history_retention_ms), "30d", NULL,
	  SECONDS(60), DAYS(3650), "How long the gateway's history keeps an event." },
	{ "history.max.bytes", &option_size, FIELD(history_max_bytes), "4294967296", NULL, 1048576,
	  INT64_C(1) << 50,
	  "The maximum size of the gateway's history. Beyond it, the oldest events are deleted." },
	{ "gateway.tls.certificate.file", &option_text, FIELD(gateway_tls_certificate_file), NULL,
	  NULL, 0, PATH_BYTES,
	  "The gateway's certificate with its chain (PEM). It is read again when it changes." },
	{ "gateway.tls.key.file", &option_text, FIELD(gateway_tls_key_file), NULL, NULL, 0,
	  PATH_BYTES, "The secret file with the certificate's private key (PEM)." },
	{ "gateway.allow.plaintext", &option_bool, FIELD(gateway_allow_plaintext), "false", NULL, 0,
	  0, "Whether the API may be served beyond loopback without TLS." },
	{ "gateway.domain", &option_text, FIELD(gateway_domain), NULL, NULL, 0, 253,
	  "The domain whose first label names the tenant of a public JWKS." },
	{ "gateway.default.tenant", &option_text, FIELD(gateway_default_tenant), NULL, NULL, 0, 256,
	  "The tenant of a public JWKS that nothing else names." },
	{ "gateway.timeout", &option_duration, FIELD(gateway_timeout_ms), "10s", NULL, 100,
	  SECONDS(300), "How long a request waits for a worker before it is answered with 503." },
	{ "gateway.max.in.flight", &option_int, FIELD(gateway_max_in_flight), "10000", NULL, 1,
	  1000000,
	  "The maximum number of requests that wait for a worker. A tenant gets at most as many as "
	  "it leaves free for others. Beyond it, a request is answered with 429." },
	{ "gateway.max.connections", &option_int, FIELD(gateway_max_connections), "12000", NULL, 1,
	  1000000, "The maximum number of concurrent connections to the API." },
	{ "gateway.client.timeout", &option_duration, FIELD(gateway_client_timeout_ms), "15s", NULL,
	  100, SECONDS(600),
	  "The timeout for a client to send a whole request or to read an answer." },
	{ "gateway.idle.timeout", &option_duration, FIELD(gateway_idle_timeout_ms), "75s", NULL,
	  100, SECONDS(3600),
	  "How long a connection without a request is kept. It should be longer than a load "
	  "balancer keeps its own." },

	{ "log.level", &option_log_level, FIELD(log_level), "info", NULL, 0, 0,
	  "The lowest level that is logged: debug, info, warn or error." },
	{ "log.format", &option_log_format, FIELD(log_format), "logfmt", NULL, 0, 0,
	  "The format of log lines: logfmt or json." },
};

const size_t option_count = ARRAY_LEN(options);

const struct option *option_find(const char *key) {
	for (size_t i = 0; i < option_count; i++) {
		if (options[i].kind && strcmp(options[i].key, key) == 0)
			return &options[i];
	}
	return NULL;
}

const char *option_default(const struct option *option) {
	return option->shown ? option->shown : option->value ? option->value : "none";
}

const char *option_suggest(const char *key) {
	size_t nearest = SIZE_MAX;
	const char *found = NULL;

	for (size_t i = 0; i < option_count; i++)
		if (suggest_is_nearer(key, options[i].key, &nearest))
			found = options[i].key;
	return found;
}
