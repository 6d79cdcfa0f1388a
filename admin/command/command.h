/* The subcommands: names, operands, flags and help texts. Each family has a file. */
#pragma once

#include "base/config_load.h"
#include "terminal/arguments.h"
#include "terminal/status.h"

/* The input of a subcommand, read and checked by main. */
struct invocation {
	const struct config *config;
	const struct config_source *source; /* of the configuration, to read it again */
	const struct arguments *arguments;
	const char *tenant; /* NULL: not given */
	bool json;
	int64_t timeout_ms; /* 1..TIMEOUT_MAX_MS */
};

enum { TIMEOUT_MAX_MS = 60 * 60 * 1000 };

struct subcommand {
	const char *family;
	const char *verb;     /* NULL: the family has one subcommand, without a verb */
	const char *operands; /* for the help; NULL: none */
	size_t operand_count;
	const char *summary;      /* one line */
	const char *details;      /* further lines of its help, each ended; NULL: none */
	const char *examples;     /* its arguments, a line each, ended */
	const struct flag *flags; /* its own; NULL: none */
	bool needs_tenant;
	unsigned needs; /* enum config_need */
	enum admin_status (*run)(const struct invocation *invocation);
};

/* Each table ends with an empty row. */
extern const struct subcommand topics_subcommands[];
extern const struct subcommand acls_subcommands[];
extern const struct subcommand master_key_subcommands[];
extern const struct subcommand webhook_subcommands[];
extern const struct subcommand jwks_subcommands[];
extern const struct subcommand delivery_subcommands[];
extern const struct subcommand dead_letters_subcommands[];
extern const struct subcommand credential_subcommands[];
extern const struct subcommand event_subcommands[];
extern const struct subcommand results_subcommands[];
extern const struct subcommand trace_subcommands[];
extern const struct subcommand state_subcommands[];
extern const struct subcommand token_subcommands[];
extern const struct subcommand serve_subcommands[];
extern const struct subcommand schemas_subcommands[];
extern const struct subcommand health_subcommands[];
