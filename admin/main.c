/* posthorn-admin: one binary, subcommands. This file finds the subcommand, reads the configuration, and runs it. */
#include "base/duration.h"
#include "base/utf8.h"
#include "command/command.h"
#include "domain/limits.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { PROBLEMS_MAX = 64 * 1024, STDOUT_BUFFER = 1024 * 1024, TIMEOUT_DEFAULT_MS = 30 * 1000 };

static const struct subcommand *const families[] = {
	topics_subcommands,   master_key_subcommands, webhook_subcommands, jwks_subcommands,
	credential_subcommands, results_subcommands, delivery_subcommands, dead_letters_subcommands,
	state_subcommands,    token_subcommands, serve_subcommands,
};

static const struct flag common_flags[] = {
	{ "config", "FILE", "configuration, Java-style properties; the worker's own file serves" },
	{ "set", "KEY=VALUE", "one configuration key, over file and environment; may be repeated" },
	{ "tenant", "TENANT", "whose webhooks, keys, credentials or events" },
	{ "json", NULL, "one JSON value on stdout, or JSON lines for streams" },
	{ "timeout", "DURATION", "how long to wait for brokers and outcomes: 500ms, 30s, 5m (default 30s)" },
	{ "help", NULL, "this help, or a subcommand's" },
	{ "version", NULL, "the version" },
	{ 0 },
};

/* "webhook get ID"; owned by the caller. */
static char *subcommand_name(const struct subcommand *row) {
	return x_asprintf("%s%s%s%s%s", row->family, row->verb ? " " : "", row->verb ? row->verb : "", row->operands ? " " : "",
			  row->operands ? row->operands : "");
}

static void print_help(FILE *out) {
	fputs("usage: posthorn-admin [--config FILE] [--set KEY=VALUE]... COMMAND [OPTION]...\n\ncommands:\n", out);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (const struct subcommand *row = families[i]; row->family; row++) {
			_cleanup_(x_freep) char *name = subcommand_name(row);

			fprintf(out, "  %-24s %s\n", name, row->summary);
		}
	}
	fputs("\noptions of every command:\n", out);
	flags_print(out, common_flags);
	fputs("\nexit status: 0 success, 1 refused (the error body is on stderr), 2 wrong usage or configuration, 3 no outcome "
	      "in time.\n"
	      "posthorn-admin COMMAND --help shows a command's own options and examples.\n",
	      out);
}

static void print_subcommand_help(const struct subcommand *row) {
	_cleanup_(x_freep) char *name = subcommand_name(row);
	const char *line = row->examples;

	printf("usage: posthorn-admin %s [OPTION]...\n\n%s\n", name, row->summary);
	if (row->details)
		printf("\n%s", row->details);
	if (row->flags) {
		fputs("\noptions:\n", stdout);
		flags_print(stdout, row->flags);
	}
	fputs("\noptions of every command:\n", stdout);
	flags_print(stdout, common_flags);
	fputs("\nexamples:\n", stdout);
	while (*line) {
		size_t len = strcspn(line, "\n");

		printf("  posthorn-admin %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* NULL after saying what is wrong. */
static const struct subcommand *find_subcommand(int argc, char **argv) {
	bool family_known = false;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		for (const struct subcommand *row = families[i]; row->family; row++) {
			if (strcmp(row->family, argv[0]) != 0)
				continue;
			family_known = true;
			if (!row->verb || (argc > 1 && !strcmp(row->verb, argv[1])))
				return row;
		}
	}
	if (family_known && argc > 1)
		complain("%s has no command %s", argv[0], argv[1]);
	else if (family_known)
		complain("%s needs to be told what to do", argv[0]);
	else
		complain("there is no command %s", argv[0]);
	complain("try: posthorn-admin --help");
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
	complain("--timeout is \"%s\", must be a duration such as 500ms, 30s or 5m, at most 1h", text);
	return ADMIN_USAGE;
}

/* A command of another one would be a dead letter, and its outcome waited for in vain. */
static enum admin_status check_tenant(const char *tenant) {
	if (!tenant || (*tenant && strlen(tenant) <= TENANT_ID_MAX))
		return ADMIN_OK;
	complain("--tenant has %zu bytes, must have 1 to %d", strlen(tenant), TENANT_ID_MAX);
	return ADMIN_USAGE;
}

static enum admin_status check_usage(const struct subcommand *row, const struct arguments *arguments) {
	_cleanup_(x_freep) char *name = x_asprintf("%s%s%s", row->family, row->verb ? " " : "", row->verb ? row->verb : "");

	if (arguments->operand_count != row->operand_count) {
		complain("%s takes %s%s", name, row->operands ? "" : "no operand", row->operands ? row->operands : "");
		return ADMIN_USAGE;
	}
	if (row->needs_tenant && !arguments_get(arguments, "tenant")) {
		complain("%s needs --tenant", name);
		return ADMIN_USAGE;
	}
	return check_tenant(arguments_get(arguments, "tenant"));
}

static enum admin_status load_config(const struct arguments *arguments, unsigned needs, struct config **out) {
	_cleanup_(buffer_destroy) struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
	size_t setting_count;
	_cleanup_(x_freep) const char **settings = arguments_get_all(arguments, "set", &setting_count);
	const struct config_source source = { .file = arguments_get(arguments, "config"),
					      .environment = environ,
					      .settings = settings,
					      .setting_count = setting_count,
					      .needs = needs };
	int r = config_load(&source, out, &problems);

	if (!r)
		return ADMIN_OK;
	if (problems.len)
		complain_lines(problems.data);
	else
		complain("the configuration cannot be read: %s", strerror(-r));
	return ADMIN_USAGE;
}

static enum admin_status run(const struct subcommand *row, const struct arguments *arguments) {
	_cleanup_(config_freep) struct config *config = NULL;
	struct invocation invocation = { .arguments = arguments,
					 .tenant = arguments_get(arguments, "tenant"),
					 .json = arguments_has(arguments, "json") };
	enum admin_status status = check_usage(row, arguments);

	if (!status)
		status = read_timeout(&invocation);
	if (!status)
		status = load_config(arguments, row->needs, &config);
	if (status)
		return status;
	log_configure(config->log_level, config->log_format);
	invocation.config = config;
	return row->run(&invocation);
}

/* A closed pipe ends the program quietly; a full disk does not. */
static enum admin_status finish_output(enum admin_status status) {
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status;
	complain("stdout: %s", strerror(errno));
	return status ? status : ADMIN_REFUSED;
}

/* Everything that is sent on is text. */
static enum admin_status check_text(int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		if (!utf8_is_text(argv[i], strlen(argv[i]))) {
			complain("argument %d is not UTF-8", i);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}

static enum admin_status general_help(bool asked) {
	print_help(asked ? stdout : stderr);
	return asked ? ADMIN_OK : ADMIN_USAGE;
}

static enum admin_status dispatch(int argc, char **argv, struct arguments *arguments) {
	const struct subcommand *row;
	int first;

	if (check_text(argc, argv) ||
	    arguments_parse(arguments, (const struct flag *const[]){ common_flags, NULL }, true, argc, argv, &first))
		return ADMIN_USAGE;
	if (arguments_has(arguments, "version")) {
		puts("posthorn-admin " POSTHORN_VERSION);
		return ADMIN_OK;
	}
	if (first == argc)
		return general_help(arguments_has(arguments, "help"));
	/* Of a family with verbs: there are few enough to show them all. */
	if (first + 1 < argc && !strcmp(argv[first + 1], "--help") && strcmp(argv[first], "serve") != 0)
		return general_help(true);
	row = find_subcommand(argc - first, argv + first);
	if (!row)
		return ADMIN_USAGE;
	/* The last word of its name stands where a program's own name would. */
	first += row->verb != NULL;
	if (arguments_parse(arguments, (const struct flag *const[]){ common_flags, row->flags, NULL }, false, argc - first, argv + first, NULL))
		return ADMIN_USAGE;
	if (arguments_has(arguments, "help")) {
		print_subcommand_help(row);
		return ADMIN_OK;
	}
	return run(row, arguments);
}

int main(int argc, char **argv) {
	_cleanup_(arguments_destroy) struct arguments arguments = { 0 };

	signal(SIGPIPE, SIG_DFL);
	setvbuf(stdout, NULL, _IOFBF, STDOUT_BUFFER);
	if (sodium_init() < 0) {
		complain("libsodium does not start");
		return ADMIN_USAGE;
	}
	return (int)finish_output(dispatch(argc, argv, &arguments));
}
