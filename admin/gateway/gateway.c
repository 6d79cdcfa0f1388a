#include "gateway/gateway.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/notify.h"
#include "base/signals.h"
#include "gateway/api.h"
#include "gateway/operations.h"
#include "gateway/parts.h"
#include "gateway/reload.h"
#include "kafka/handle.h"
#include "kafka/record_codec.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	PAUSE_MIN_MS = 500, /* between tries to reach Kafka at the start */
	PAUSE_MAX_MS = 5000,
	TRY_MS = 5000, /* a longer one would keep the reason, and a signal, waiting */
	TICK_MS = 250, /* the interval of the mending in tick */
	THREADS_MAX = 16,
	WHY_MAX = 16 * 1024,
	OTHER_FILES = 512, /* descriptors besides the connections': librdkafka's, and files */
};

/* --- Checks before the start --- */

static bool is_loopback(const char *host) {
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (inet_pton(AF_INET, host, &ipv4) == 1)
		return ntohl(ipv4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &ipv6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&ipv6);
	return !strcmp(host, "localhost");
}

static enum admin_status check_config(const struct config *config) {
	bool has_certificate = config->gateway_tls_certificate_file,
	     has_key = config->gateway_tls_key_file;

	if (has_certificate != has_key) {
		terminal_complain(
		    "gateway.tls.certificate.file and gateway.tls.key.file belong together: "
		    "%s is not set",
		    has_key ? "gateway.tls.certificate.file" : "gateway.tls.key.file");
		return ADMIN_USAGE;
	}
	if (has_key || config->gateway_allow_plaintext || is_loopback(config->gateway_listen.host))
		return ADMIN_OK;
	terminal_complain(
	    "gateway.listen is %s, which other machines can reach: tokens would be sent in plain "
	    "text. Set gateway.tls.certificate.file and gateway.tls.key.file, or "
	    "gateway.allow.plaintext=true behind a proxy that does TLS",
	    config->gateway_listen.host);
	return ADMIN_USAGE;
}

/* Makes room for a descriptor for each allowed connection. */
static void raise_file_limit(const struct config *config) {
	struct rlimit limit;
	rlim_t wanted = (rlim_t)config->gateway_max_connections + OTHER_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = MIN(wanted, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < wanted)
		log_warn("fewer files than connections", "files=%llu wanted=%llu",
			 (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

/* --- Parts --- */

static enum admin_status open_tokens(struct gateway *gateway) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	const char *file = gateway->config->gateway_tokens_file;
	int r = token_store_open(file, &gateway->tokens, &why);

	if (!r)
		return ADMIN_OK;
	if (r < 0)
		terminal_complain("gateway.tokens.file %s: %s", file, strerror(-r));
	else
		terminal_complain_lines(why.data);
	return ADMIN_USAGE;
}

static unsigned thread_count(void) {
	return (unsigned)MIN(cpus_available(), (int)THREADS_MAX);
}

static enum admin_status open_tls(struct gateway *gateway) {
	const struct config *config = gateway->config;
	_cleanup_(tls_fault_destroy) struct tls_fault fault = TLS_FAULT_INIT;

	if (!config->gateway_tls_key_file)
		return ADMIN_OK;
	tls_files_init(&gateway->tls_files, config->gateway_tls_certificate_file,
		       config->gateway_tls_key_file);
	if (!tls_files_show(&gateway->tls_files, &gateway->tls, &fault))
		return ADMIN_OK;
	terminal_complain("%s: %s: %s", fault.key, fault.file, fault.why.data);
	return ADMIN_USAGE;
}

static enum admin_status start_api(struct gateway *gateway) {
	const struct config *config = gateway->config;
	struct http_handler handler = api_handler;
	struct http_options options = { .key = "gateway.listen",
					.listen = &config->gateway_listen,
					.threads = thread_count(),
					.connections_max =
					    (unsigned)config->gateway_max_connections,
					.client_timeout_ms = config->gateway_client_timeout_ms,
					.idle_timeout_ms = config->gateway_idle_timeout_ms,
					.body_max = GATEWAY_BODY_MAX,
					.handler = &handler };

	handler.userdata = gateway;
	options.tls = gateway->tls;
	return http_server_start(&options, &gateway->api) ? ADMIN_USAGE : ADMIN_OK;
}

static enum admin_status start_operations(struct gateway *gateway) {
	const struct config *config = gateway->config;
	struct http_handler handler = operations_handler;
	const struct http_options options = http_operations_options(
	    "gateway.operations.listen", &config->gateway_operations_listen, &handler);

	handler.userdata = gateway;
	return http_server_start(&options, &gateway->operations) ? ADMIN_USAGE : ADMIN_OK;
}

/* Starts the reader of outcomes before the first command can be sent. */
static enum admin_status open_kafka(struct gateway *gateway, int64_t timeout_ms) {
	const struct config *config = gateway->config;
	enum admin_status status = ADMIN_OK;

	if (!gateway->outcomes)
		status = outcomes_start(config, timeout_ms, gateway->pending, &gateway->outcomes);
	if (!status && !gateway->state)
		status = state_follower_start(config, timeout_ms, &gateway->state);
	if (!status)
		status = history_follower_start(gateway->history, timeout_ms);
	if (!status && !gateway->sender)
		status =
		    sender_open(config, TOPIC_ADMIN, config->gateway_timeout_ms, &gateway->sender);
	if (!status && !gateway->event_sender)
		status = sender_open(config, TOPIC_EVENTS, config->gateway_timeout_ms,
				     &gateway->event_sender);
	return status;
}

/* Waits for a signal. Returns whether it is the end. */
static bool heed_signal(struct gateway *gateway, int64_t timeout_ms) {
	enum signal_asked asked = signals_wait(timeout_ms);
	bool is_told = atomic_load(&gateway->is_open);

	if (asked != SIGNAL_RELOAD)
		return asked == SIGNAL_END;
	/* A reload during the start is not told of: its end would pass for the start's. */
	if (is_told)
		notify_reloading();
	gateway_reload(gateway, gateway->source);
	if (is_told)
		notify_ready();
	return false;
}

/* Nothing but Kafka can fail here: its brokers may come, and a right may be granted. */
static enum admin_status wait_for_kafka(struct gateway *gateway, int64_t timeout_ms) {
	struct backoff backoff = { 0 };

	kafka_log_refusals();
	while (open_kafka(gateway, MIN(timeout_ms, (int64_t)TRY_MS))) {
		int64_t now_ms = clock_monotonic_ms();

		atomic_store(&gateway->is_refused, true);
		backoff_fail(&backoff, now_ms, PAUSE_MIN_MS, PAUSE_MAX_MS);
		if (heed_signal(gateway, backoff.until_ms - now_ms))
			return ADMIN_INTERRUPTED;
	}
	return ADMIN_OK;
}

/* The schemas' problems are printed, and need another configuration. */
static enum admin_status check_schemas(const struct config *config) {
	_cleanup_(codec_freep) struct codec *codec = record_codec_new(config);

	return codec ? ADMIN_OK : ADMIN_USAGE;
}

/* Operators are answered before Kafka does. */
static enum admin_status start_parts(struct gateway *gateway, int64_t timeout_ms) {
	const struct config *config = gateway->config;
	enum admin_status status = open_tls(gateway);

	if (!status)
		status = open_tokens(gateway);
	gateway->pending =
	    pending_new((size_t)config->gateway_max_in_flight, config->gateway_timeout_ms);
	if (!status)
		status = check_schemas(config);
	if (!status)
		status = history_follower_open(config, &gateway->history);
	if (!status)
		status = start_operations(gateway);
	if (!status)
		status = wait_for_kafka(gateway, timeout_ms);
	if (!status)
		status = start_api(gateway);
	if (!status)
		atomic_store(&gateway->is_open, true);
	return status;
}

/* --- Life --- */

static void tick(struct gateway *gateway) {
	token_store_refresh(gateway->tokens);
	gateway_refresh_certificate(gateway);
	sender_mend(gateway->sender);
	sender_mend(gateway->event_sender);
	history_follower_mend(gateway->history);
	if (!http_server_is_stuck(gateway->api, GATEWAY_STUCK_MS))
		notify_watchdog();
}

static void serve(struct gateway *gateway) {
	while (!heed_signal(gateway, TICK_MS))
		tick(gateway);
	notify_stopping();
}

/* Waits until waiting requests are answered, at the latest with their timeout, and until each
 * answer is sent or its client cut off. */
static void drain(struct gateway *gateway) {
	atomic_store(&gateway->draining, true);
	log_info("gateway draining", "pending=%zu", pending_count(gateway->pending));
	http_server_drain(gateway->api);
	while (http_server_owed(gateway->api))
		poll(NULL, 0, TICK_MS / 10);
}

/* Stops the servers first, since they use everything else. The operations server reports on the
 * API's server, and so is freed after that has stopped. */
static void tear_down(struct gateway *gateway) {
	if (gateway->api)
		http_server_stop(gateway->api);
	http_server_freep(&gateway->operations);
	http_server_freep(&gateway->api);
	http_tls_freep(&gateway->tls);
	tls_files_destroy(&gateway->tls_files);
	sender_closep(&gateway->event_sender);
	sender_closep(&gateway->sender);
	outcomes_stopp(&gateway->outcomes);
	history_follower_stopp(&gateway->history);
	state_follower_stopp(&gateway->state);
	pending_freep(&gateway->pending);
	token_store_freep(&gateway->tokens);
}

enum admin_status gateway_run(const struct config *config, const struct config_source *source,
			      const char *version, int64_t timeout_ms) {
	struct gateway gateway = { .config = config, .source = source, .version = version };
	enum admin_status status;

	signals_block();
	signal(SIGPIPE, SIG_IGN);
	status = check_config(config);
	if (status)
		return status;
	raise_file_limit(config);
	status = start_parts(&gateway, timeout_ms);
	if (!status) {
		log_info("gateway started", "version=%s host=%s port=%u tls=%s", version,
			 config->gateway_listen.host, http_server_port(gateway.api),
			 config->gateway_tls_key_file ? "yes" : "no");
		notify_ready();
		serve(&gateway);
		drain(&gateway);
		log_info("gateway stopped", "connections=%u", http_server_connections(gateway.api));
	}
	tear_down(&gateway);
	return status == ADMIN_INTERRUPTED ? ADMIN_OK : status;
}
