/*
 * A path: the methods that find a handler are those that Allow names, its parameters are text, and
 * its escapes mean the same to curl.
 */
#include "base/utf8.h"
#include "fuzz.h"
#include "gateway/router.h"
#include "gateway/routes.h"

#include <ctype.h>
#include <curl/curl.h>

static const char *const methods[] = { "GET",   "HEAD",  "POST",    "PUT", "DELETE",
				       "PATCH", "TRACE", "CONNECT", "get", "" };

/* Whether the list of Allow has the method as one of its words. */
static bool names(const char *allow, const char *method) {
	for (size_t len = strlen(method); len && (allow = strstr(allow, method)); allow += len)
		if (allow[len] == ',' || !allow[len])
			return true;
	return false;
}

static void check_match(const char *method, const struct route_match *match) {
	CHECK(match->path_found);
	CHECK(!strcmp(match->route->method, method) ||
	      (!strcmp(method, "HEAD") && !strcmp(match->route->method, "GET")));
	for (size_t i = 0; i < ROUTE_PARAMETERS_MAX && match->parameters[i]; i++)
		CHECK(*match->parameters[i] &&
		      utf8_is_text(match->parameters[i], strlen(match->parameters[i])));
}

static void check_path(struct arena *arena, const char *path) {
	const char *allow = router_allow(routes_table, arena, path);
	struct route_match first;
	int r = router_find(routes_table, arena, methods[0], path, &first);

	CHECK(!r || r == ROUTER_E_MALFORMED);
	CHECK(!*allow || names(allow, "OPTIONS"));
	CHECK(!*allow == (r || !first.path_found));
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct route_match match;

		/* Whether it is malformed depends on the path alone. */
		CHECK(router_find(routes_table, arena, methods[i], path, &match) == r);
		if (r)
			continue;
		CHECK(match.path_found == first.path_found);
		CHECK((match.route != NULL) == names(allow, methods[i]));
		if (match.route)
			check_match(methods[i], &match);
	}
}

static bool has_bad_escape(const char *text) {
	for (; (text = strchr(text, '%')); text += 3)
		if (!isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
			return true;
	return false;
}

/* curl leaves a broken escape alone, where we refuse it; and knows nothing of UTF-8. */
static void check_escapes(struct arena *arena, const char *text) {
	const char *decoded = router_percent_decode(arena, text, strlen(text), false);
	int len;
	char *wanted;

	if (!*text)
		return;
	wanted = curl_easy_unescape(NULL, text, (int)strlen(text), &len);
	CHECK(!decoded == (has_bad_escape(text) || !utf8_is_text(wanted, (size_t)len)));
	CHECK(!decoded ||
	      (strlen(decoded) == (size_t)len && !memcmp(wanted, decoded, (size_t)len)));
	curl_free(wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(x_freep) char *text = fuzz_text(data, size);

	check_path(arena, text);
	check_escapes(arena, text);
	return 0;
}
