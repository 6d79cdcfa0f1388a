#include "gateway/etag.h"
#include "gateway/exchange.h"
#include "gateway/serve.h"
#include "gateway/static_file.h"

static const char POLICY[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
			     "'self'; connect-src 'self'; form-action 'none'; "
			     "base-uri 'none'; frame-ancestors 'none'";

static const struct static_file *find_file(const char *pattern) {
	const struct static_file *file = static_files;

	while (strcmp(file->path, pattern) != 0)
		file++; /* ends, since every static route has a file */
	return file;
}

void serve_static(struct exchange *exchange) {
	struct http_answer *answer = &exchange->http->answer;
	const struct static_file *file = find_file(exchange->match.route->pattern);
	char *etag = arena_alloc(exchange->http->arena, ETAG_SIZE);

	etag_make(etag, file->bytes, file->len);
	exchange->has_token = false; /* the answer is public, also to a request with a token */
	if (etag_is_named(http_request_header(exchange->http, "if-none-match"), etag))
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
