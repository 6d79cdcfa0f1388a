#include "help/catalog.h"

const struct subcommand *const catalog_families[] = {
	topics_subcommands,
	acls_subcommands,
	schemas_subcommands,
	master_key_subcommands,
	webhook_subcommands,
	jwks_subcommands,
	credential_subcommands,
	event_subcommands,
	results_subcommands,
	trace_subcommands,
	delivery_subcommands,
	dead_letters_subcommands,
	state_subcommands,
	token_subcommands,
	serve_subcommands,
	health_subcommands,
	NULL,
};

const struct flag catalog_common_flags[] = {
	{ "config", "FILE",
	  "the configuration, Java-style properties; the worker's file may be used" },
	{ "set", "KEY=VALUE", "one configuration key, over file and environment; may be repeated" },
	{ "tenant", "TENANT", "the owner of the webhooks, keys, credentials or events" },
	{ "json", NULL, "one JSON value on stdout, or JSON lines for streams" },
	{ "timeout", "DURATION",
	  "how long to wait for brokers and outcomes: 500ms, 30s, 5m (default 30s)" },
	{ "help", NULL, "this help, or a subcommand's" },
	{ "version", NULL, "the version" },
	{ 0 },
};

const struct flag catalog_hidden_flags[] = {
	{ "complete", NULL,
	  "print completions of the last of the following words, for the shells" },
	{ "print-manual", NULL, "print posthorn-admin(1)" },
	{ 0 },
};

const struct subcommand *catalog_family(const char *name) {
	for (const struct subcommand *const *family = catalog_families; *family; family++) {
		if (!strcmp((*family)->family, name))
			return *family;
	}
	return NULL;
}

const struct subcommand *catalog_find(const struct subcommand *family, const char *verb) {
	for (const struct subcommand *row = family; row->family; row++) {
		if (!row->verb || (verb && !strcmp(row->verb, verb)))
			return row;
	}
	return NULL;
}

char *catalog_name(const struct subcommand *row, bool with_operands) {
	const char *operands = with_operands && row->operands ? row->operands : "";

	return x_asprintf("%s%s%s%s%s", row->family, row->verb ? " " : "",
			  row->verb ? row->verb : "", operands[0] ? " " : "", operands);
}
