#include "gateway/router.h"
#include "unit.h"

#include <stdio.h>

/* A handler is never called here. */
static const struct route table[] = {
	{ .method = "GET", .pattern = "/", .detail = 1 },
	{ .method = "GET", .pattern = "/things/word", .detail = 2 },
	{ .method = "GET", .pattern = "/things/{id}", .detail = 3 },
	{ .method = "PUT", .pattern = "/things/{id}", .detail = 4 },
	{ .method = "POST", .pattern = "/things", .detail = 5 },
	{ .method = "GET", .pattern = "/things/{id}/parts/{part}", .detail = 6 },
	{ 0 },
};

enum { MALFORMED = -1, NOTHING = 0, OTHER_METHOD = 100 };

static const struct {
	const char *method, *path;
	int found; /* the route's detail, or one of the above */
	const char *parameters[ROUTE_PARAMETERS_MAX];
} paths[] = {
	{ "GET", "/", 1, { 0 } },
	{ "GET", "", NOTHING, { 0 } },
	{ "GET", "*", NOTHING, { 0 } },
	{ "GET", "things", NOTHING, { 0 } },
	{ "POST", "/things", 5, { 0 } },
	{ "POST", "/things/", NOTHING, { 0 } },
	{ "POST", "//things", NOTHING, { 0 } },
	{ "POST", "/Things", NOTHING, { 0 } },
	{ "POST", "/thing", NOTHING, { 0 } },
	{ "POST", "/thingss", NOTHING, { 0 } },
	{ "POST", "/%74hings", 5, { 0 } },
	{ "POST", "/./things", NOTHING, { 0 } },
	/* a parameter is any part that is not empty */
	{ "GET", "/things/x", 3, { "x" } },
	{ "PUT", "/things/x", 4, { "x" } },
	{ "HEAD", "/things/x", 3, { "x" } },
	{ "GET", "/things/a%2Fb", 3, { "a/b" } },
	{ "GET", "/things/a%2fb%25", 3, { "a/b%" } },
	{ "GET", "/things/a+b", 3, { "a+b" } },
	{ "GET", "/things/..", 3, { ".." } },
	{ "GET", "/things/%2e%2e", 3, { ".." } },
	{ "GET", "/things/%c3%a4", 3, { "\xc3\xa4" } },
	{ "GET", "/things//parts/y", NOTHING, { 0 } },
	{ "GET", "/things/x/parts/y", 6, { "x", "y" } },
	{ "GET", "/things/x/parts/", NOTHING, { 0 } },
	{ "GET", "/things/x/parts/y/z", NOTHING, { 0 } },
	/* a word before what would take it, for all methods */
	{ "GET", "/things/word", 2, { 0 } },
	{ "GET", "/things/%77ord", 2, { 0 } },
	{ "PUT", "/things/word", OTHER_METHOD, { 0 } },
	{ "GET", "/things/word/parts/y", 6, { "word", "y" } },
	/* methods */
	{ "DELETE", "/things/x", OTHER_METHOD, { 0 } },
	{ "get", "/things/x", OTHER_METHOD, { 0 } },
	{ "", "/things/x", OTHER_METHOD, { 0 } },
	{ "HEAD", "/things", OTHER_METHOD, { 0 } },
	{ "DELETE", "/nothing", NOTHING, { 0 } },
	/* malformed, wherever it is, and whether or not there would be a route */
	{ "GET", "/things/%", MALFORMED, { 0 } },
	{ "GET", "/things/%2", MALFORMED, { 0 } },
	{ "GET", "/things/%2g", MALFORMED, { 0 } },
	{ "GET", "/things/%g2", MALFORMED, { 0 } },
	{ "GET", "/things/%%32", MALFORMED, { 0 } },
	{ "GET", "/things/%2/0", MALFORMED, { 0 } },
	{ "GET", "/things/%00", MALFORMED, { 0 } },
	{ "GET", "/things/x%00y", MALFORMED, { 0 } },
	{ "GET", "/things/%ff", MALFORMED, { 0 } },
	{ "GET", "/things/\xff", MALFORMED, { 0 } },
	{ "GET", "/things/%c0%ae", MALFORMED, { 0 } },
	{ "GET", "/things/%ed%a0%80", MALFORMED, { 0 } },
	{ "GET", "/things/%c3/%a4", MALFORMED, { 0 } },
	{ "GET", "/nothing/at/all/%zz", MALFORMED, { 0 } },
};

static bool is_same(const char *a, const char *b) {
	return a && b ? !strcmp(a, b) : a == b;
}

static void paths_find_their_route(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct route_match match;
		int r = router_find(table, arena, paths[i].method, paths[i].path, &match);
		int found = r                  ? MALFORMED
			    : match.route      ? match.route->detail
			    : match.path_found ? OTHER_METHOD
					       : NOTHING;

		if (r && r != ROUTER_E_MALFORMED)
			fail_msg("%s: returned %d", paths[i].path, r);
		if (found != paths[i].found)
			fail_msg("%s %s: found %d", paths[i].method, paths[i].path, found);
		for (size_t k = 0;
		     found > NOTHING && found < OTHER_METHOD && k < ROUTE_PARAMETERS_MAX; k++)
			if (!is_same(match.parameters[k], paths[i].parameters[k]))
				fail_msg("%s: parameter %zu is %s", paths[i].path, k,
					 match.parameters[k] ? match.parameters[k] : "none");
	}
}

static const struct {
	const char *path, *allow;
} allowed[] = {
	{ "/", "GET, HEAD, OPTIONS" },
	{ "/things", "POST, OPTIONS" },
	{ "/things/word", "GET, HEAD, OPTIONS" },
	{ "/things/x", "GET, HEAD, PUT, OPTIONS" },
	{ "/things/x/parts/y", "GET, HEAD, OPTIONS" },
	{ "/nothing", "" },
	{ "/things/%zz", "" },
};

static void allow_names_the_methods_of_a_path(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();

		assert_string_equal(router_allow(table, arena, allowed[i].path), allowed[i].allow);
	}
}

static const struct {
	const char *text;
	bool is_form;
	const char *decoded; /* NULL: refused */
} escapes[] = {
	{ "", false, "" },
	{ "a", true, "a" },
	{ "a+b", false, "a+b" },
	{ "a+b", true, "a b" },
	{ "a%2Bb", true, "a+b" },
	{ "%41%62", false, "Ab" },
	{ "%2541", false, "%41" },
	{ "%", false, NULL },
	{ "%4", false, NULL },
	{ "a%4", false, NULL },
	{ "%4G", false, NULL },
	{ "%-1", false, NULL },
	{ "% 1", false, NULL },
	{ "%00", false, NULL },
	{ "%7f", false, "\x7f" },
	{ "%80", false, NULL },
	{ "%F0%9F%90%98", true, "\xf0\x9f\x90\x98" },
	{ "%f0%9f%90", true, NULL },
	{ "%c3a", true, NULL },
	{ "%f4%90%80%80", true, NULL },
};

static void escapes_are_decoded(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		/* What stands behind is not looked at. */
		const char *longer = arena_printf(arena, "%s41", escapes[i].text);
		const char *decoded = router_percent_decode(arena, longer, strlen(escapes[i].text),
							    escapes[i].is_form);

		if (!is_same(decoded, escapes[i].decoded))
			fail_msg("%s: %s", escapes[i].text, decoded ? decoded : "refused");
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_find_their_route),
		cmocka_unit_test(allow_names_the_methods_of_a_path),
		cmocka_unit_test(escapes_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
