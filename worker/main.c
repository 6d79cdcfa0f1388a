/*
 * posthorn-worker: options, start-up as a list, signals, and the joining of pipeline and engine.
 *
 * Exit status: 0 stopped by SIGTERM or SIGINT; 1 a failure that a restart may fix; 2 wrong usage or
 * configuration; 3 a failure that a restart alone does not fix; 4 another worker with the same
 * worker.id took over, so this one must not be restarted.
 */
#include "base/config_load.h"
#include "base/config_text.h"
#include "base/manual.h"
#include "base/notify.h"
#include "base/process.h"
#include "base/signals.h"
#include "http/probe.h"
#include "ops/reload.h"
#include "ops/server.h"
#include "pipeline/pipeline.h"
#include "rdkafka/settings_judge.h"
#include "registry/client.h"
#include "replica/replica.h"
#include "trace/trace.h"

#include <argp.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_FATAL = 3, EXIT_REPLACED = 4 };
enum { SETTINGS_MAX = 256, PROBLEMS_MAX = 64 * 1024, STOP_GRACE_MS = 0 };
enum { KEY_CHECK_CONFIG = 0x100, KEY_CHECK_HEALTH, KEY_PRINT_OPTIONS, KEY_PRINT_MANUAL };

struct arguments {
	const char *config_file;
	const char *settings[SETTINGS_MAX];
	size_t setting_count;
	bool check_config, check_health, print_options, print_manual;
};

struct worker {
	struct config_source source;
	struct config *config;
	struct master_keys *master_keys;
	struct trace_settings trace_settings;
	struct engine *engine;
	struct pipeline *pipeline;
	struct server *server;
	pthread_t signal_thread; /* valid where `has_signal_thread` */
	bool has_signal_thread;
	atomic_bool is_open; /* the service manager knows that it has started */
};

static struct worker worker; /* global: threads and start-up steps take no argument */

const char *argp_program_version = "posthorn-worker " POSTHORN_VERSION;

static const struct argp_option argp_options[] = {
	{ "config", 'c', "FILE", 0, "Read the configuration from FILE (Java-style properties)", 0 },
	{ "set", 's', "KEY=VALUE", 0, "Set one key; repeatable, and overrides file and environment",
	  0 },
	{ "check-config", KEY_CHECK_CONFIG, NULL, 0, "Check the configuration and exit", 0 },
	{ "check-health", KEY_CHECK_HEALTH, NULL, 0,
	  "Ask the running worker at worker.http.listen whether it is ready, and exit: 0 or 1", 0 },
	{ "print-options", KEY_PRINT_OPTIONS, NULL, OPTION_HIDDEN,
	  "Print key, default and help of every option, tab-separated", 0 },
	{ "print-manual", KEY_PRINT_MANUAL, NULL, OPTION_HIDDEN, "Print posthorn-worker(1)", 0 },
	{ 0 },
};

static error_t parse_argument(int key, char *value, struct argp_state *state) {
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->config_file = value;
		return 0;
	case 's':
		if (arguments->setting_count == SETTINGS_MAX)
			argp_error(state, "more than %d settings", SETTINGS_MAX);
		arguments->settings[arguments->setting_count++] = value;
		return 0;
	case KEY_CHECK_CONFIG:
		arguments->check_config = true;
		return 0;
	case KEY_CHECK_HEALTH:
		arguments->check_health = true;
		return 0;
	case KEY_PRINT_OPTIONS:
		arguments->print_options = true;
		return 0;
	case KEY_PRINT_MANUAL:
		arguments->print_manual = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument: %s", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Puts the option table under --help. */
static char *filter_help(int key, const char *text, void *input _unused_) {
	struct buffer help = BUFFER_INIT(PROBLEMS_MAX);

	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	buffer_append_string(&help,
			     "Configuration keys, in a file, as POSTHORN_DELIVERY_TIMEOUT-style "
			     "variables, or with --set:\n\n");
	config_describe(&help);
	return help.data;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_argument,
	.doc = "posthorn-worker: a Kafka-native webhook worker.\vConfiguration keys:",
	.help_filter = filter_help,
};

static int print_options(void) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(PROBLEMS_MAX);

	config_list(&out);
	fwrite(out.data, 1, out.len, stdout);
	return EXIT_OK;
}

static void append_option(struct buffer *out, const struct argp_option *option) {
	_cleanup_(x_freep) char *name = isprint(option->key)
					    ? x_asprintf("-%c, --%s", option->key, option->name)
					    : x_asprintf("--%s", option->name);

	if (!(option->flags & OPTION_HIDDEN))
		manual_item(out, name, option->arg, option->doc);
}

static int print_manual(void) {
	static const struct argp_option own[] = {
		{ "help", '?', NULL, 0, "Print the options and the configuration keys", 0 },
		{ "usage", 0, NULL, 0, "Print the options on one line", 0 },
		{ "version", 'V', NULL, 0, "Print the version", 0 },
		{ 0 }
	};
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(PROBLEMS_MAX);

	manual_begin(&out, "posthorn-worker", POSTHORN_VERSION, "a Kafka-native webhook worker");
	manual_section(&out, "SYNOPSIS");
	manual_command(&out, "posthorn-worker", "--config FILE [--set KEY=VALUE]...");
	manual_section(&out, "DESCRIPTION");
	manual_text(&out, "Takes commands from Kafka, keeps the tenants' webhooks, and delivers "
			  "signed callbacks. Its files can be deleted at any time: its state is in "
			  "Kafka. It runs in the foreground and logs to stderr.");
	manual_section(&out, "OPTIONS");
	for (const struct argp_option *option = argp_options; option->name; option++)
		append_option(&out, option);
	for (const struct argp_option *option = own; option->name; option++)
		append_option(&out, option);
	manual_section(&out, "CONFIGURATION");
	manual_text(&out, "Keys of the file (Java-style properties), of --set, and, as "
			  "POSTHORN_DELIVERY_TIMEOUT for delivery.timeout, of the environment. "
			  "--set wins over the environment, which wins over the file. Durations "
			  "are 500ms, 5s, 5m, 2h or 5d.");
	config_append_manual(&out);
	manual_section(&out, "ENVIRONMENT");
	manual_item(&out, "OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", NULL,
		    "Send the spans of sampled traces to this collector, as OTLP over HTTP in "
		    "JSON. Its siblings _HEADERS, _TIMEOUT, _CERTIFICATE, _CLIENT_CERTIFICATE, "
		    "_CLIENT_KEY and _PROTOCOL are read too, and OTEL_SERVICE_NAME, "
		    "OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_EXPORTER and OTEL_SDK_DISABLED. A "
		    "value that cannot be used is ignored, with a warning.");
	manual_section(&out, "SIGNALS");
	manual_item(
	    &out, "SIGTERM, SIGINT", NULL,
	    "Stop the worker: attempts in flight end first, and their outcomes are committed.");
	manual_item(&out, "SIGHUP", NULL,
		    "Read log.level, log.format, the master keys, endpoint.ca.file and "
		    "endpoint.proxy.password.file again. A master key that the worker has is given "
		    "up only at a restart.");
	manual_section(&out, "EXIT STATUS");
	manual_item(&out, "0", NULL, "stopped by a signal");
	manual_item(&out, "1", NULL, "a failure that a restart may fix");
	manual_item(&out, "2", NULL, "wrong usage or configuration");
	manual_item(&out, "3", NULL, "a failure that a restart alone does not fix");
	manual_item(&out, "4", NULL,
		    "another worker with the same worker.id took over: do not restart this one");
	manual_section(&out, "SEE ALSO");
	manual_reference(&out, "posthorn-admin", 1, "");
	fwrite(out.data, 1, out.len, stdout);
	return EXIT_OK;
}

/* The steps of start-up. Each returns 0, or an exit status after logging the reason. */

static int read_config(const struct arguments *arguments) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	int r;

	worker.source = (struct config_source){
		.file = arguments->config_file,
		.environment = environ,
		.settings = arguments->settings,
		.setting_count = arguments->setting_count,
		/* A container's health check has no --config, and asks at an address alone. */
		.needs = arguments->check_health ? 0 : CONFIG_NEED_KAFKA | CONFIG_NEED_MASTER_KEY,
		.kafka_rules = &settings_rules,
	};
	r = config_load(&worker.source, &worker.config, &problems);
	if (r == 0) {
		log_configure(worker.config->log_level, worker.config->log_format);
		return 0;
	}
	fputs(r == CONFIG_E_REFUSED ? problems.data : strerror(-r), stderr);
	fputs("\n", stderr);
	return EXIT_USAGE;
}

static int read_master_keys(void) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(PROBLEMS_MAX);
	const struct file_list *files = &worker.config->worker_master_key_files;

	if (master_keys_load((const char *const *)files->items, files->count, &worker.master_keys,
			     &why) == 0)
		return 0;
	fprintf(stderr, "worker.master.key.file: %s\n", why.data);
	return EXIT_USAGE;
}

static int judge_folder(void) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(PROBLEMS_MAX);
	int r = replica_judge_folder(worker.config->worker_data_dir, &why);

	if (r == 0)
		return 0;
	fprintf(stderr, "worker.data.dir: %s%s%s\n", r < 0 ? worker.config->worker_data_dir : "",
		r < 0 ? ": " : "", r < 0 ? strerror(-r) : why.data);
	return EXIT_USAGE;
}

static int judge_endpoint_files(void) {
	return engine_check_files(worker.config) ? EXIT_USAGE : 0;
}

static int judge_registry_files(void) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(PROBLEMS_MAX);
	_cleanup_(registry_client_freep) struct registry_client *client = NULL;
	const atomic_bool stopping = false;

	if (!worker.config->schema_registry_url ||
	    registry_client_new(worker.config, &stopping, &client, &why) == 0)
		return 0;
	fprintf(stderr, "%s\n", why.data);
	return EXIT_USAGE;
}

static int read_trace_settings(void) {
	trace_settings_read(worker.config->worker_id, POSTHORN_VERSION, &worker.trace_settings);
	return 0;
}

static int start_trace(void) {
	int r = trace_start(&worker.trace_settings, POSTHORN_VERSION);

	if (r == 0)
		return 0;
	log_error("cannot start the thread that sends spans", "error=%s", log_quote(strerror(-r)));
	return EXIT_FAILED;
}

static void wake_pipeline(void *userdata _unused_) {
	pipeline_wake(worker.pipeline);
}

static int start_engine(void) {
	int r = engine_new(worker.config, POSTHORN_VERSION, wake_pipeline, NULL, &worker.engine);

	if (r == 0)
		return 0;
	log_error("cannot start the delivery engine", "error=%s", log_quote(strerror(-r)));
	return EXIT_FAILED;
}

/* A reload during the start is not told of: its end would pass for the start's. */
static void reload(void) {
	const struct reload parts = { &worker.source, worker.config, worker.master_keys,
				      worker.engine };
	bool is_told = atomic_load(&worker.is_open);

	if (is_told)
		notify_reloading();
	reload_run(&parts);
	if (is_told)
		notify_ready();
}

static void *heed_signals(void *userdata _unused_) {
	enum signal_asked asked;

	while ((asked = signals_wait(-1)) != SIGNAL_END)
		if (asked == SIGNAL_RELOAD)
			reload();
	notify_stopping();
	pipeline_stop(worker.pipeline);
	return NULL;
}

static int make_pipeline(void) {
	int r;

	worker.pipeline = pipeline_new(worker.config, worker.master_keys, worker.engine);
	r = pthread_create(&worker.signal_thread, NULL, heed_signals, NULL);
	worker.has_signal_thread = r == 0;
	if (r == 0)
		return 0;
	log_error("cannot start the thread that waits for signals", "error=%s",
		  log_quote(strerror(r)));
	return EXIT_FAILED;
}

static int start_server(void) {
	return server_start(&worker.config->worker_http_listen, worker.pipeline, worker.engine,
			    POSTHORN_VERSION, &worker.server)
		   ? EXIT_FAILED
		   : 0;
}

static int exit_code(int r) {
	return r == 0 || r == -ECANCELED  ? EXIT_OK
	       : r == PIPELINE_E_FATAL    ? EXIT_FATAL
	       : r == PIPELINE_E_REPLACED ? EXIT_REPLACED
					  : EXIT_FAILED;
}

static int run_pipeline(void) {
	int r = pipeline_open(worker.pipeline);

	if (r == 0) {
		log_info("worker started", "version=%s worker=%s", POSTHORN_VERSION,
			 worker.config->worker_id);
		atomic_store(&worker.is_open, true);
		notify_ready();
		r = pipeline_run(worker.pipeline);
	}
	log_info("worker stopped", "code=%d", exit_code(r));
	return exit_code(r);
}

static int check_health(void) {
	_cleanup_(buffer_destroy) struct buffer answer = BUFFER_INIT(PROBLEMS_MAX);
	int r = http_probe(&worker.config->worker_http_listen, "/readyz", &answer);

	if (r < 0)
		fprintf(stderr, "worker.http.listen: %s\n", strerror(-r));
	else if (answer.len)
		fputs(answer.data, stdout);
	return r ? EXIT_FAILED : EXIT_OK;
}

/* Stops the server first, since it reads the others; the engine before the pipeline, which it
 * wakes. */
static void tear_down(void) {
	if (worker.has_signal_thread) {
		pthread_kill(worker.signal_thread, SIGTERM);
		pthread_join(worker.signal_thread, NULL);
	}
	server_stop(worker.server);
	engine_stop(worker.engine, STOP_GRACE_MS);
	pipeline_free(worker.pipeline);
	engine_free(worker.engine);
	trace_stop();
	trace_settings_destroy(&worker.trace_settings);
	master_keys_free(worker.master_keys);
	config_free(worker.config);
}

int main(int argc, char **argv) {
	int (*const checks[])(void) = { read_master_keys, judge_folder, read_trace_settings,
					judge_endpoint_files, judge_registry_files };
	int (*const steps[])(void) = { read_master_keys, judge_folder, read_trace_settings,
				       start_trace,      start_engine, make_pipeline,
				       start_server,     run_pipeline };
	struct arguments arguments = { 0 };
	int code;

	if (process_harden(argv) < 0)
		return EXIT_FAILED;
	signal(SIGPIPE, SIG_IGN); /* the log's reader or a peer may be gone */
	signals_block(); /* before the first thread, and before a signal to process 1 is lost */
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (arguments.print_options)
		return print_options();
	if (arguments.print_manual)
		return print_manual();
	if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) || replica_init() < 0)
		return EXIT_FAILED;
	code = read_config(&arguments);
	if (code == 0 && arguments.check_health) {
		code = check_health();
		tear_down();
		return code;
	}
	for (size_t i = 0; code == 0 && arguments.check_config && i < ARRAY_LEN(checks); i++)
		code = checks[i]();
	if (code == 0 && arguments.check_config)
		puts("configuration OK");
	for (size_t i = 0; code == 0 && !arguments.check_config && i < ARRAY_LEN(steps); i++)
		code = steps[i]();
	tear_down();
	return code;
}
