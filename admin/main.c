/* posthorn-admin: finds the subcommand, reads the configuration, and runs it. */
#include "base/config_load.h"
#include "base/duration.h"
#include "base/process.h"
#include "base/utf8.h"
#include "domain/limits.h"
#include "help/catalog.h"
#include "help/completion.h"
#include "help/manual.h"
#include "help/usage.h"
#include "rdkafka/settings_judge.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum {
	PROBLEMS_MAX = 64 * 1024,
	HIDDEN_MAX = 1024 * 1024,
	STDOUT_BUFFER = 1024 * 1024,
	TIMEOUT_DEFAULT_MS = 30 * 1000
};

/* Returns NULL after printing the fault. */
static const struct subcommand *find_subcommand(int argc, char **argv) {
	const struct subcommand *family = catalog_family(argv[0]);
	const struct subcommand *row =
	    family ? catalog_find(family, argc > 1 ? argv[1] : NULL) : NULL;

	if (row)
		return row;
	if (!family)
		terminal_complain("unknown command: %s", argv[0]);
	else if (argc > 1)
		terminal_complain("%s has no command %s", argv[0], argv[1]);
	else
		terminal_complain("%s needs a command", argv[0]);
	terminal_complain("try: posthorn-admin%s%s --help", family ? " " : "",
			  family ? argv[0] : "");
	return NULL;
}

static enum admin_status read_timeout(struct invocation *invocation) {
	const char *text = arguments_get(invocation->arguments, "timeout");

	invocation->timeout_ms = TIMEOUT_DEFAULT_MS;
	if (!text)
		return ADMIN_OK;
	if (!duration_parse(text, &invocation->timeout_ms) && invocation->timeout_ms > 0 &&
	    invocation->timeout_ms <= TIMEOUT_MAX_MS)
		return ADMIN_OK;
	terminal_complain(
	    "--timeout is \"%s\", must be a duration such as 500ms, 30s or 5m, at most 1h", text);
	return ADMIN_USAGE;
}

/* Refuses a tenant whose command would be a dead letter, without an outcome. */
static enum admin_status check_tenant(const char *tenant) {
	if (!tenant || (*tenant && strlen(tenant) <= TENANT_ID_MAX))
		return ADMIN_OK;
	terminal_complain("--tenant has %zu bytes, must have 1 to %d", strlen(tenant),
			  TENANT_ID_MAX);
	return ADMIN_USAGE;
}

static enum admin_status check_usage(const struct subcommand *row,
				     const struct arguments *arguments) {
	_cleanup_(x_freep) char *name = catalog_name(row, false);

	if (arguments->operand_count != row->operand_count) {
		terminal_complain("%s takes %s%s", name, row->operands ? "" : "no operand",
				  row->operands ? row->operands : "");
		return ADMIN_USAGE;
	}
	if (row->needs_tenant && !arguments_get(arguments, "tenant")) {
		terminal_complain("%s needs --tenant", name);
		return ADMIN_USAGE;
	}
	return check_tenant(arguments_get(arguments, "tenant"));
}

static enum admin_status load_config(const struct config_source *source, struct config **out) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	int r = config_load(source, out, &problems);

	if (!r)
		return ADMIN_OK;
	if (problems.len)
		terminal_complain_lines(problems.data);
	else
		terminal_complain("the configuration cannot be read: %s", strerror(-r));
	return ADMIN_USAGE;
}

static enum admin_status run_row(const struct subcommand *row, const struct arguments *arguments) {
	_cleanup_(config_freep) struct config *config = NULL;
	size_t setting_count;
	_cleanup_(x_freep) const char **settings =
	    arguments_get_all(arguments, "set", &setting_count);
	const struct config_source source = { .file = arguments_get(arguments, "config"),
					      .environment = environ,
					      .settings = settings,
					      .setting_count = setting_count,
					      .needs = row->needs,
					      .kafka_rules = &settings_rules };
	struct invocation invocation = { .arguments = arguments,
					 .source = &source,
					 .tenant = arguments_get(arguments, "tenant"),
					 .json = arguments_has(arguments, "json") };
	enum admin_status status = check_usage(row, arguments);

	if (!status)
		status = read_timeout(&invocation);
	if (!status)
		status = load_config(&source, &config);
	if (status)
		return status;
	log_configure(config->log_level, config->log_format);
	invocation.config = config;
	return row->run(&invocation);
}

/* A closed pipe is no error; a full disk is one. */
static enum admin_status finish_output(enum admin_status status) {
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status;
	terminal_complain("stdout: %s", strerror(errno));
	return status ? status : ADMIN_REFUSED;
}

/* Refuses arguments that are not text, since they are sent on. */
static enum admin_status check_text(int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		if (!utf8_is_text(argv[i], strlen(argv[i]))) {
			terminal_complain("argument %d is not UTF-8", i);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}

static enum admin_status general_help(bool asked) {
	usage_print(asked ? stdout : stderr);
	return asked ? ADMIN_OK : ADMIN_USAGE;
}

/* Options for packaging and shells. No completion is no error. */
static enum admin_status print_hidden(const struct arguments *arguments, char **words,
				      size_t count) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(HIDDEN_MAX);

	if (arguments_has(arguments, "print-manual"))
		manual_append(&out, POSTHORN_VERSION);
	else if (count)
		completion_append(&out, (const char *const *)words, count);
	if (out.len)
		fwrite(out.data, 1, out.len, stdout);
	return ADMIN_OK;
}

static enum admin_status run_subcommand(int argc, char **argv, struct arguments *arguments) {
	const struct subcommand *row = find_subcommand(argc, argv);
	/* The last word of the subcommand's name takes the place of argv[0]. */
	int first = row && row->verb;

	if (!row ||
	    arguments_parse(arguments,
			    (const struct flag *const[]){ catalog_common_flags, row->flags, NULL },
			    false, argc - first, argv + first, NULL))
		return ADMIN_USAGE;
	if (!arguments_has(arguments, "help"))
		return run_row(row, arguments);
	usage_print_subcommand(row);
	return ADMIN_OK;
}

/* Whether the line is "webhook --help", for a family with several commands. */
static bool asks_for_family(int argc, char **argv) {
	const struct subcommand *family = catalog_family(argv[0]);

	return family && family->verb && argc > 1 && !strcmp(argv[1], "--help");
}

static enum admin_status dispatch(int argc, char **argv, struct arguments *arguments) {
	int first;

	if (check_text(argc, argv) ||
	    arguments_parse(
		arguments,
		(const struct flag *const[]){ catalog_common_flags, catalog_hidden_flags, NULL },
		true, argc, argv, &first))
		return ADMIN_USAGE;
	argc -= first;
	argv += first;
	if (arguments_has(arguments, "print-manual") || arguments_has(arguments, "complete"))
		return print_hidden(arguments, argv, (size_t)argc);
	if (arguments_has(arguments, "version")) {
		puts("posthorn-admin " POSTHORN_VERSION);
		return ADMIN_OK;
	}
	if (!argc)
		return general_help(arguments_has(arguments, "help"));
	if (!asks_for_family(argc, argv))
		return run_subcommand(argc, argv, arguments);
	usage_print_family(catalog_family(argv[0]));
	return ADMIN_OK;
}

int main(int argc, char **argv) {
	_cleanup_(arguments_destroy) struct arguments arguments = { 0 };

	if (process_harden(argv) < 0)
		return ADMIN_USAGE;
	signal(SIGPIPE, SIG_DFL);
	setvbuf(stdout, NULL, _IOFBF, STDOUT_BUFFER);
	if (sodium_init() < 0) {
		terminal_complain("libsodium cannot be initialised");
		return ADMIN_USAGE;
	}
	return (int)finish_output(dispatch(argc, argv, &arguments));
}
