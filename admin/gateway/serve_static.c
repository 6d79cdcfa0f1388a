#include "gateway/exchange.h"
#include "gateway/routes.h"
#include "gateway/static_file.h"

#include <sodium.h>

static const char POLICY[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
			     "'self'; connect-src 'self'; form-action 'none'; "
			     "base-uri 'none'; frame-ancestors 'none'";

static const struct static_file *find(const char *pattern) {
	const struct static_file *file = static_files;

	while (strcmp(file->path, pattern) != 0)
		file++; /* a route leads here only for one that is there */
	return file;
}

static const char *etag_of(struct arena *arena, const struct static_file *file) {
	uint8_t hash[crypto_generichash_BYTES_MIN];
	char
	    text[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

	crypto_generichash(hash, sizeof(hash), file->bytes, file->len, NULL, 0);
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return arena_printf(arena, "\"%s\"", text);
}

void serve_static(struct exchange *exchange) {
	struct http_answer *answer = &exchange->http->answer;
	const struct static_file *file = find(exchange->match.route->pattern);
	const char *etag = etag_of(exchange->http->arena, file);

	exchange->has_token = false; /* the answer is public, whoever asked */
	if (exchange_has_etag(exchange, etag))
		exchange_answer_empty(exchange, 304);
	else
		exchange_answer_fixed(exchange, 200, file->content_type, (const char *)file->bytes,
				      file->len);
	http_answer_header(answer, "etag", etag);
	http_answer_header(answer, "cache-control", "no-cache");
	http_answer_header(answer, "access-control-allow-origin", "*");
	http_answer_header(answer, "content-security-policy", POLICY);
	http_answer_header(answer, "referrer-policy", "no-referrer");
	http_answer_header(answer, "cross-origin-opener-policy", "same-origin");
}
