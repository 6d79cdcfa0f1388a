/*
 * A query, against a model that cuts it and has curl undo the escapes; and a list of entity tags.
 *
 * Seeds: the literals of tests/unit/gateway_router.c.
 */
#include "base/utf8.h"
#include "fuzz.h"
#include "gateway/etag.h"
#include "gateway/exchange.h"

#include <curl/curl.h>

static const char *const wanted_names[] = { "limit", "cursor", "type", "after", "a" };

/* A form's blanks are pluses. In the arena; NULL where it is not well-formed. */
static const char *decode(struct arena *arena, const char *text, size_t len) {
	char *copy = arena_strndup(arena, text, len), *decoded;
	const char *out;
	int decoded_len;

	for (char *p = copy; *p; p++) {
		if (*p == '+')
			*p = ' ';
		if (*p == '%' && strspn(p + 1, "0123456789abcdefABCDEF") < 2)
			return NULL;
	}
	decoded = curl_easy_unescape(NULL, copy, (int)len, &decoded_len);
	CHECK(decoded || !len);
	out = decoded && utf8_is_text(decoded, (size_t)decoded_len) ? arena_strdup(arena, decoded)
								    : NULL;
	curl_free(decoded);
	return len ? out : "";
}

/* As exchange_query. */
static const char *model(struct arena *arena, const char *query, const char *name, bool *wrong) {
	char *rest = arena_strdup(arena, query), *pair;
	const char *found = NULL;
	size_t count = 0;

	*wrong = false;
	while ((pair = strsep(&rest, "&"))) {
		char *value = pair;
		const char *key;

		if (!*pair)
			continue;
		strsep(&value, "=");
		key = decode(arena, pair, strlen(pair));
		if (!key || strcmp(key, name))
			continue;
		count++;
		found = decode(arena, value ? value : "", value ? strlen(value) : 0);
		*wrong = *wrong || count > 1 || !found;
	}
	return *wrong ? NULL : found;
}

/* If-None-Match, of tags without blanks or commas, as ours are. */
static void check_etag(const char *text) {
	static const char ours[] = "\"abc\"";
	_cleanup_(x_freep) char *copy = x_strdup(text);
	bool is_there = false;
	char *rest = NULL;

	for (char *tag = strtok_r(copy, ", \t", &rest); tag; tag = strtok_r(NULL, ", \t", &rest))
		is_there =
		    is_there || *tag == '*' || !strcmp(tag + (strncmp(tag, "W/", 2) ? 0 : 2), ours);
	CHECK(etag_is_named(text, ours) == is_there);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(x_freep) char *text = fuzz_text(data, size);
	const struct http_head head = { .query = text };
	struct http_request http = { .arena = arena, .head = &head };
	struct exchange exchange = { .http = &http };

	check_etag(text);
	for (size_t i = 0; i < ARRAY_LEN(wanted_names); i++) {
		bool wrong = false, is_wrong;
		const char *value = exchange_query(&exchange, wanted_names[i], &wrong);
		const char *wanted = model(arena, text, wanted_names[i], &is_wrong);

		CHECK(wrong == is_wrong);
		CHECK(!value == !wanted && (!value || !strcmp(value, wanted)));
		CHECK(!value || utf8_is_text(value, strlen(value)));
	}
	return 0;
}
