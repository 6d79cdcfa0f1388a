#include "terminal/arguments.h"
#include "unit.h"

#include <stdio.h>

static const struct flag common[] = { { "set", "KEY=VALUE", "" }, { "json", NULL, "" }, { 0 } };
static const struct flag own[] = { { "url", "URL", "" }, { "urgent", NULL, "" }, { 0 } };

enum { ARGC_MAX = 10 };

static int count_of(const char *const *argv) {
	int argc = 0;

	while (argv[argc])
		argc++;
	return argc;
}

/* getopt permutes the array, never the text; the rows stay as they are. */
static int parse(const char *const *argv, bool stops, struct arguments *out, int *next) {
	const struct flag *const tables[] = { common, own, NULL };
	const char *copy[ARGC_MAX + 1] = { 0 };
	int argc = count_of(argv);

	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	*out = (struct arguments){ 0 };
	return arguments_parse(out, tables, stops, argc, (char **)(uintptr_t)copy, next);
}

static const struct {
	const char *name;
	const char *argv[ARGC_MAX];
	int r;
	const char *url;
	bool json;
	size_t operands;
} rows[] = {
	{ "nothing", { "get" }, 0, NULL, false, 0 },
	{ "a value behind a blank", { "get", "--url", "u" }, 0, "u", false, 0 },
	{ "a value behind =", { "get", "--url=u" }, 0, "u", false, 0 },
	{ "an empty value", { "get", "--url", "" }, 0, "", false, 0 },
	{ "the last one wins", { "get", "--url", "a", "--url", "b" }, 0, "b", false, 0 },
	{ "operands anywhere", { "get", "id", "--json", "more" }, 0, NULL, true, 2 },
	{ "a value that looks like a flag", { "get", "--url", "--json" }, 0, "--json", false, 0 },
	{ "after -- only operands", { "get", "--", "--json" }, 0, NULL, false, 1 },
	{ "a value is missing", { "get", "--url" }, ARGUMENTS_E_REFUSED, NULL, false, 0 },
	{ "an unknown flag", { "get", "--nothing" }, ARGUMENTS_E_REFUSED, NULL, false, 0 },
	{ "an ambiguous beginning", { "get", "--ur" }, ARGUMENTS_E_REFUSED, NULL, false, 0 },
	{ "a short flag", { "get", "-j" }, ARGUMENTS_E_REFUSED, NULL, false, 0 },
	{ "a value for a switch", { "get", "--json=yes" }, ARGUMENTS_E_REFUSED, NULL, false, 0 },
};

static void arguments_are_parsed_as_the_rows_say(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(arguments_destroy) struct arguments arguments;
		int r = parse(rows[i].argv, false, &arguments, NULL);
		const char *url = arguments_get(&arguments, "url");

		if (r != rows[i].r)
			fail_msg("%s: returned %d", rows[i].name, r);
		if (r)
			continue;
		if (!url != !rows[i].url || (url && strcmp(url, rows[i].url) != 0) ||
		    arguments_has(&arguments, "json") != rows[i].json ||
		    arguments.operand_count != rows[i].operands)
			fail_msg("%s: url %s, json %d, %zu operands", rows[i].name, url ? url : "-",
				 arguments_has(&arguments, "json"), arguments.operand_count);
	}
}

static void global_options_end_at_the_command(void **state _unused_) {
	_cleanup_(arguments_destroy) struct arguments arguments;
	int next = 0;

	assert_int_equal(
	    parse((const char *[]){ "program", "--json", "webhook", "--url", "u", NULL }, true,
		  &arguments, &next),
	    0);
	assert_int_equal(next, 2);
	assert_int_equal(arguments.operand_count, 0);
	assert_null(arguments_get(&arguments, "url"));
}

static void a_repeated_option_keeps_every_value(void **state _unused_) {
	_cleanup_(arguments_destroy) struct arguments arguments;
	_cleanup_(x_freep) const char **values = NULL;
	size_t count;

	assert_int_equal(
	    parse((const char *[]){ "get", "--set", "a=1", "--json", "--set", "b=2", NULL }, false,
		  &arguments, NULL),
	    0);
	values = arguments_get_all(&arguments, "set", &count);
	assert_int_equal(count, 2);
	assert_string_equal(values[0], "a=1");
	assert_string_equal(values[1], "b=2");
}

static const struct {
	const char *text;
	const char *items[4];
} lists[] = {
	{ "a", { "a" } }, { "a,b", { "a", "b" } },      { " a , b ", { "a", "b" } },
	{ "", { "" } },   { "a,,b", { "a", "", "b" } }, { "a,", { "a", "" } },
};

static void a_list_is_split_at_its_commas(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		size_t count;
		_cleanup_(x_freep) const char **items = arguments_split_list(lists[i].text, &count);

		assert_int_equal(count, count_of(lists[i].items));
		for (size_t k = 0; k < count; k++)
			assert_string_equal(items[k], lists[i].items[k]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_are_parsed_as_the_rows_say),
		cmocka_unit_test(global_options_end_at_the_command),
		cmocka_unit_test(a_repeated_option_keeps_every_value),
		cmocka_unit_test(a_list_is_split_at_its_commas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
