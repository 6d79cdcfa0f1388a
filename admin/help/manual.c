#include "help/manual.h"

#include "base/manual.h"
#include "help/catalog.h"

static void append_flags(struct buffer *out, const struct flag *table) {
	for (const struct flag *flag = table; flag && flag->name; flag++) {
		_cleanup_(x_freep) char *name = x_asprintf("--%s", flag->name);

		manual_item(out, name, flag->value, flag->help);
	}
}

static void append_examples(struct buffer *out, const char *examples) {
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(64 * 1024);

	while (*examples) {
		size_t len = strcspn(examples, "\n");

		buffer_printf(&text, "posthorn-admin %.*s\n", (int)len, examples);
		examples += len + (examples[len] == '\n');
	}
	manual_verbatim(out, text.data);
}

static void append_subcommand(struct buffer *out, const struct subcommand *row) {
	_cleanup_(x_freep) char *name = catalog_name(row, true);

	manual_subsection(out, name);
	manual_text(out, row->summary);
	if (row->needs_tenant)
		manual_paragraph(out, "--tenant is needed.");
	if (row->details)
		manual_paragraph(out, row->details);
	append_flags(out, row->flags);
	manual_paragraph(out, row->examples[strcspn(row->examples, "\n") + 1] ? "Examples:"
									      : "Example:");
	append_examples(out, row->examples);
}

static void append_exit_status(struct buffer *out) {
	manual_section(out, "EXIT STATUS");
	manual_item(out, "0", NULL, "success");
	manual_item(out, "1", NULL,
		    "refused: by the worker, and the error body is on stderr; or what was checked, "
		    "or read, is wrong");
	manual_item(out, "2", NULL, "wrong usage or configuration");
	manual_item(out, "3", NULL, "no outcome came in --timeout");
	manual_item(out, "130", NULL, "interrupted before all was done");
}

void manual_append(struct buffer *out, const char *version) {
	manual_begin(out, "posthorn-admin", version,
		     "administer posthorn: topics, keys, webhooks, deliveries, dead letters; serve "
		     "its HTTP API");
	manual_section(out, "SYNOPSIS");
	manual_command(out, "posthorn-admin",
		       "[--config FILE] [--set KEY=VALUE]... COMMAND [OPTION]...");
	manual_command(out, "posthorn-admin", "COMMAND --help");
	manual_section(out, "DESCRIPTION");
	manual_text(out,
		    "Most commands produce a record to a topic and wait for a worker's outcome, or "
		    "read a topic to its end. They need Kafka, and run on any machine.\n");
	manual_paragraph(out,
			 "Results are printed on stdout, as tables and text or, with --json, as "
			 "JSON: one value, or a line for each of many. Errors are printed on "
			 "stderr, and so is the progress of long work if that is a terminal.\n");
	manual_section(out, "OPTIONS");
	manual_text(out, "For every command, before or behind its name:");
	append_flags(out, catalog_common_flags);
	manual_section(out, "COMMANDS");
	for (const struct subcommand *const *family = catalog_families; *family; family++) {
		for (const struct subcommand *row = *family; row->family; row++)
			append_subcommand(out, row);
	}
	append_exit_status(out);
	manual_section(out, "ENVIRONMENT");
	manual_item(
	    out, "POSTHORN_GROUP_ID", NULL,
	    "group.id, and so every other configuration key; over the file, and under --set");
	manual_section(out, "SEE ALSO");
	manual_reference(out, "posthorn-worker", 1, ", which lists the configuration keys");
}
