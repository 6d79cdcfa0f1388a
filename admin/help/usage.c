#include "help/usage.h"

#include "help/catalog.h"

static void print_rows(FILE *out, const struct subcommand *family) {
	for (const struct subcommand *row = family; row->family; row++) {
		_cleanup_(x_freep) char *name = catalog_name(row, true);

		fprintf(out, "  %-26s %s\n", name, row->summary);
	}
}

static void print_common(FILE *out) {
	fputs("\noptions of every command:\n", out);
	arguments_print_flags(out, catalog_common_flags);
}

void usage_print(FILE *out) {
	fputs("usage: posthorn-admin [--config FILE] [--set KEY=VALUE]... COMMAND "
	      "[OPTION]...\n\ncommands:\n",
	      out);
	for (const struct subcommand *const *family = catalog_families; *family; family++)
		print_rows(out, *family);
	print_common(out);
	fputs("\nexit status: 0 success, 1 refused (the error body is on stderr), 2 wrong usage or "
	      "configuration, 3 no outcome "
	      "in time, 130 interrupted.\n"
	      "posthorn-admin COMMAND --help shows a command's own options and examples.\n",
	      out);
}

void usage_print_family(const struct subcommand *family) {
	printf("usage: posthorn-admin %s COMMAND [OPTION]...\n\ncommands:\n", family->family);
	print_rows(stdout, family);
	printf("\nposthorn-admin %s COMMAND --help shows a command's own options and examples.\n",
	       family->family);
}

void usage_print_subcommand(const struct subcommand *row) {
	_cleanup_(x_freep) char *name = catalog_name(row, true);
	const char *line = row->examples;

	printf("usage: posthorn-admin %s [OPTION]...\n\n%s\n", name, row->summary);
	if (row->details)
		printf("\n%s", row->details);
	if (row->flags) {
		fputs("\noptions:\n", stdout);
		arguments_print_flags(stdout, row->flags);
	}
	print_common(stdout);
	fputs("\nexamples:\n", stdout);
	while (*line) {
		size_t len = strcspn(line, "\n");

		printf("  posthorn-admin %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}
