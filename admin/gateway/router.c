#include "gateway/router.h"

#include "base/buffer.h"
#include "base/utf8.h"

enum { ALLOW_MAX = 256 };

static int hex(char c) {
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

char *router_percent_decode(struct arena *arena, const char *text, size_t len, bool is_form) {
	char *out = arena_alloc(arena, len + 1);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		int high = i + 2 < len ? hex(text[i + 1]) : -1,
		    low = high >= 0 ? hex(text[i + 2]) : -1;

		if (text[i] != '%') {
			out[at++] = is_form && text[i] == '+' ? ' ' : text[i];
			continue;
		}
		if (high < 0 || low < 0)
			return NULL;
		out[at++] = (char)(high * 16 + low);
		i += 2;
	}
	out[at] = '\0';
	return utf8_is_text(out, at) ? out : NULL;
}

/* Returns the part of `*text` up to the next slash, and moves `*text` behind that. Returns NULL at
 * the end. */
static const char *next_part(const char **text, size_t *len) {
	const char *part = *text;

	if (!part)
		return NULL;
	*len = strcspn(part, "/");
	*text = part[*len] ? part + *len + 1 : NULL;
	return part;
}

static bool is_word(const char *part, size_t len, const char *decoded) {
	return strlen(decoded) == len && !memcmp(part, decoded, len);
}

static bool take_part(const char *wanted, size_t wanted_len, char *decoded,
		      struct route_match *match, size_t *parameters) {
	if (wanted[0] != '{')
		return is_word(wanted, wanted_len, decoded);
	match->parameters[(*parameters)++] = decoded;
	return *decoded;
}

static int matches(const char *pattern, struct arena *arena, const char *path,
		   struct route_match *match, bool *out) {
	size_t wanted_len = 0, len = 0, parameters = 0;
	const char *wanted, *part;

	*out = true;
	for (;;) {
		char *decoded;

		wanted = next_part(&pattern, &wanted_len);
		part = next_part(&path, &len);
		if (!part || !wanted) {
			*out = *out && !part && !wanted;
			if (!part)
				return 0;
		}
		/* Decodes every part, also behind one that does not match, so that a malformed path
		 * is refused whatever the table. */
		decoded = router_percent_decode(arena, part, len, false);
		if (!decoded)
			return ROUTER_E_MALFORMED;
		*out = *out && wanted && take_part(wanted, wanted_len, decoded, match, &parameters);
		if (!*out)
			pattern = NULL;
	}
}

static bool takes_method(const struct route *route, const char *method) {
	return !strcmp(route->method, method) ||
	       (!strcmp(method, "HEAD") && !strcmp(route->method, "GET"));
}

int router_find(const struct route *table, struct arena *arena, const char *method,
		const char *path, struct route_match *out) {
	const char *pattern = NULL;

	*out = (struct route_match){ 0 };
	for (const struct route *route = table; route->method; route++) {
		struct route_match match = { 0 };
		bool found;

		if (pattern && strcmp(pattern, route->pattern) != 0)
			continue;
		if (matches(route->pattern, arena, path, &match, &found))
			return ROUTER_E_MALFORMED;
		if (!found)
			continue;
		pattern = route->pattern;
		out->path_found = true;
		if (!takes_method(route, method))
			continue;
		*out = match;
		out->path_found = true;
		out->route = route;
		return 0;
	}
	return 0;
}

const char *router_allow(const struct route *table, struct arena *arena, const char *path) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(ALLOW_MAX);
	const char *pattern = NULL;

	for (const struct route *route = table; route->method; route++) {
		struct route_match match = { 0 };
		bool found;

		if ((pattern && strcmp(pattern, route->pattern) != 0) ||
		    matches(route->pattern, arena, path, &match, &found) || !found)
			continue;
		pattern = route->pattern;
		buffer_printf(&out, "%s%s, ", route->method,
			      strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
	}
	if (pattern)
		buffer_append_string(&out, "OPTIONS");
	return out.len ? arena_strdup(arena, out.data) : "";
}
