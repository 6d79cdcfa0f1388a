#include "gateway/api.h"

#include "gateway/exchange.h"
#include "gateway/routes.h"

#include <strings.h>

static const char JSON[] = "application/json";

/* Finds the route. Returns false after answering OPTIONS, 400, 404 or 405. */
static bool find_route(struct exchange *exchange) {
	struct http_request *http = exchange->http;

	if (router_find(routes_table, http->arena, http->head->method, http->head->path,
			&exchange->match)) {
		exchange_answer_error(exchange, 400, "The path is malformed.");
		return false;
	}
	if (exchange->match.route)
		return true;
	if (!strcmp(http->head->method, "OPTIONS") &&
	    (exchange->match.path_found || !strcmp(http->head->path, "*"))) {
		exchange_answer_empty(exchange, 204);
		http_answer_header(&http->answer, "allow",
				   exchange->match.path_found
				       ? router_allow(routes_table, http->arena, http->head->path)
				       : "GET, HEAD, POST, PUT, DELETE, OPTIONS");
	} else if (exchange->match.path_found) {
		exchange_answer_error(exchange, 405, "The resource does not have this method.");
		http_answer_header(&http->answer, "allow",
				   router_allow(routes_table, http->arena, http->head->path));
	} else {
		exchange_answer_error(exchange, 404, "There is nothing at this path.");
	}
	return false;
}

/* Source: RFC 6750 section 2.1; the scheme has no case, RFC 9110 section 11.1. */
static const char *bearer_token(const char *authorization) {
	if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	authorization += 7;
	return authorization + strspn(authorization, " ");
}

static bool check_token(struct exchange *exchange) {
	const char *authorization = http_request_header(exchange->http, "authorization"),
		   *token = bearer_token(authorization);

	if (!authorization && exchange->match.route->access == ROUTE_PUBLIC)
		return true;
	exchange->has_token = token &&
			      http_request_header_count(exchange->http, "authorization") == 1 &&
			      token_store_find(exchange->gateway->tokens, token,
					       exchange->tenant_id, exchange->token_id);
	if (!exchange->has_token)
		exchange_answer_error(exchange, 401,
				      authorization
					  ? "The token is not known."
					  : "A token is needed: authorization: Bearer <token>.");
	return exchange->has_token;
}

/* Whether the type is application/json, without a charset or with UTF-8. */
static bool is_json(const char *type) {
	size_t len = type ? strcspn(type, "; \t") : 0;
	const char *charset = type ? strcasestr(type + len, "charset=") : NULL;

	if (len != strlen(JSON) || strncasecmp(type, JSON, len) != 0)
		return false;
	charset = charset ? charset + strlen("charset=") : NULL;
	return !charset || !strncasecmp(charset + (*charset == '"'), "utf-8", 5);
}

static bool check_content(struct exchange *exchange) {
	const struct http_request *http = exchange->http;
	enum route_body body = exchange->match.route->body;
	const char *coding = http_request_header(http, "content-encoding");

	if (body == ROUTE_NO_BODY || (body == ROUTE_MAYBE_JSON && !http->has_body))
		return true;
	if (is_json(http_request_header(http, "content-type")) &&
	    (!coding || !strcasecmp(coding, "identity")))
		return true;
	exchange_answer_error(exchange, 415,
			      coding ? "The body must not be encoded."
				     : "The body must be application/json.");
	return false;
}

static void on_head(void *userdata, struct http_request *http) {
	struct exchange *exchange = exchange_begin(userdata, http);

	if (find_route(exchange) && check_token(exchange))
		(void)check_content(exchange);
}

static void on_request(void *userdata _unused_, struct http_request *http) {
	struct exchange *exchange = http->userdata;

	exchange->match.route->handle(exchange);
}

static void on_refused(void *userdata, struct http_request *http, int status, const char *message) {
	exchange_answer_error(http->userdata ? http->userdata : exchange_begin(userdata, http),
			      status, message);
}

const struct http_handler api_handler = { .on_head = on_head,
					  .on_request = on_request,
					  .on_refused = on_refused };
