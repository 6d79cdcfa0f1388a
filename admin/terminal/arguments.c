#include "terminal/arguments.h"

#include "base/invariant.h"
#include "terminal/status.h"

#include <ctype.h>
#include <getopt.h>

enum { FLAGS_MAX = 64, FLAG_WIDTH = 28 };

/* getopt_long's view of the tables; `rows[i]` is the row behind `options[i]`. */
struct getopt_table {
	struct option options[FLAGS_MAX + 1];
	const struct flag *rows[FLAGS_MAX];
};

static void getopt_table_fill(struct getopt_table *out, const struct flag *const *tables) {
	size_t count = 0;

	*out = (struct getopt_table){ 0 };
	for (; *tables; tables++) {
		for (const struct flag *flag = *tables; flag->name; flag++) {
			invariant(count < FLAGS_MAX, "the table of flags has room for all");
			out->rows[count] = flag;
			out->options[count++] =
			    (struct option){ .name = flag->name,
					     .has_arg =
						 flag->value ? required_argument : no_argument };
		}
	}
}

void arguments_destroy(struct arguments *arguments) {
	free(arguments->given);
	free(arguments->operands);
	*arguments = (struct arguments){ 0 };
}

static void add_given(struct arguments *arguments, const struct flag *flag, const char *value) {
	arguments->given =
	    x_realloc(arguments->given, (arguments->given_count + 1) * sizeof(*arguments->given));
	arguments->given[arguments->given_count++] =
	    (struct argument){ .flag = flag, .value = value };
}

static void add_operand(struct arguments *arguments, const char *operand) {
	arguments->operands = x_realloc(arguments->operands, (arguments->operand_count + 1) *
								 sizeof(*arguments->operands));
	arguments->operands[arguments->operand_count++] = operand;
}

static int refuse_argument(int kind, const char *argument) {
	if (kind == ':')
		terminal_complain("%s needs a value", argument);
	else
		terminal_complain("unknown, ambiguous or misused option: %s", argument);
	return ARGUMENTS_E_REFUSED;
}

int arguments_parse(struct arguments *arguments, const struct flag *const *tables,
		    bool stop_at_operand, int argc, char **argv, int *next) {
	struct getopt_table table;
	int kind, index;

	getopt_table_fill(&table, tables);
	optind = 0; /* GNU: resets the parser */
	opterr = 0;
	while ((kind = getopt_long(argc, argv, stop_at_operand ? "+:" : ":", table.options,
				   &index)) != -1) {
		if (kind != 0)
			return refuse_argument(kind, argv[optind - 1]);
		add_given(arguments, table.rows[index], optarg);
	}
	if (next)
		*next = optind;
	for (; !stop_at_operand && optind < argc; optind++)
		add_operand(arguments, argv[optind]);
	return 0;
}

const char *arguments_get(const struct arguments *arguments, const char *name) {
	for (size_t i = arguments->given_count; i-- > 0;) {
		if (!strcmp(arguments->given[i].flag->name, name))
			return arguments->given[i].value;
	}
	return NULL;
}

bool arguments_has(const struct arguments *arguments, const char *name) {
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (!strcmp(arguments->given[i].flag->name, name))
			return true;
	}
	return false;
}

const char **arguments_get_all(const struct arguments *arguments, const char *name, size_t *count) {
	const char **values = x_calloc(arguments->given_count, sizeof(*values));

	*count = 0;
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (!strcmp(arguments->given[i].flag->name, name))
			values[(*count)++] = arguments->given[i].value;
	}
	return values;
}

void arguments_print_flags(FILE *out, const struct flag *table) {
	for (const struct flag *flag = table; flag && flag->name; flag++) {
		_cleanup_(x_freep) char *left = flag->value
						    ? x_asprintf("--%s %s", flag->name, flag->value)
						    : x_asprintf("--%s", flag->name);
		bool is_long = strlen(left) > FLAG_WIDTH;

		if (is_long)
			fprintf(out, "  %s\n", left);
		fprintf(out, "  %-*s %s\n", FLAG_WIDTH, is_long ? "" : left, flag->help);
	}
}

/* Cuts the trailing blanks of the item at `text`, and returns its start behind the leading ones. */
static char *trim(char *text) {
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

const char **arguments_split_list(const char *text, size_t *count) {
	size_t items = 1, text_size = strlen(text) + 1;
	const char **list;
	char *rest;

	for (const char *p = text; *p; p++)
		items += *p == ',';
	list = x_malloc(items * sizeof(*list) + text_size);
	rest = memcpy((char *)list + items * sizeof(*list), text, text_size);
	for (*count = 0; *count < items;)
		list[(*count)++] = trim(strsep(&rest, ","));
	return list;
}
