#include "gateway/exchange.h"

#include "avro/json.h"
#include "base/uuid.h"
#include "gateway/routes.h"

#include <stdio.h>
#include <strings.h>

enum { ANSWER_MAX = 16 * 1024 * 1024 };

static const char JSON[] = "application/json", CHALLENGE[] = "Bearer realm=\"posthorn\"";

/* --- Answers --- */

/* What every answer has. Nobody but who asked may keep one; the JWKS says otherwise for itself. */
static void begin_answer(struct exchange *exchange, int status) {
	struct http_answer *answer = &exchange->http->answer;

	*answer = (struct http_answer){ .status = status,
					.body = BUFFER_INIT(ANSWER_MAX),
					.closes = answer->closes };
	http_answer_header(answer, "x-request-id", exchange->request_id);
	http_answer_header(answer, "x-content-type-options", "nosniff");
	/* Source: RFC 6797 section 7.2: never in plain text. */
	if (exchange->gateway->config->gateway_tls_key_file)
		http_answer_header(answer, "strict-transport-security", "max-age=31536000");
	if (exchange->has_token || status >= 400)
		http_answer_header(answer, "cache-control", "no-store");
	atomic_fetch_add(&exchange->gateway->metrics.answers[status], 1);
}

void exchange_answer_data(struct exchange *exchange, int status, const struct event_data *data) {
	struct http_answer *answer = &exchange->http->answer;

	begin_answer(exchange, status);
	if (status == 204 || data->kind == EVENT_DATA_NONE)
		return;
	answer->content_type = JSON;
	json_append_api_data(&answer->body, data);
}

void exchange_answer_text(struct exchange *exchange, int status, const char *content_type,
			  const char *text, size_t len) {
	begin_answer(exchange, status);
	exchange->http->answer.content_type = content_type;
	buffer_append(&exchange->http->answer.body, text, len);
}

void exchange_answer_buffer(struct exchange *exchange, const struct buffer *json) {
	if (json->overflowed)
		exchange_answer_error(exchange, 500, "The answer is too large.");
	else
		exchange_answer_json(exchange, 200, json->data, json->len);
}

void exchange_answer_fixed(struct exchange *exchange, int status, const char *content_type,
			   const char *text, size_t len) {
	begin_answer(exchange, status);
	exchange->http->answer.content_type = content_type;
	exchange->http->answer.fixed = text;
	exchange->http->answer.fixed_len = len;
}

void exchange_answer_json(struct exchange *exchange, int status, const char *text, size_t len) {
	exchange_answer_text(exchange, status, JSON, text, len);
}

void exchange_answer_empty(struct exchange *exchange, int status) {
	begin_answer(exchange, status);
}

static void add_status_headers(struct exchange *exchange, int status) {
	struct http_answer *answer = &exchange->http->answer;

	if (status == 401)
		http_answer_header(answer, "www-authenticate", CHALLENGE);
	if (status == 429 || status == 503)
		http_answer_header(answer, "retry-after", "1");
	if (status == 405)
		http_answer_header(
		    answer, "allow",
		    router_allow(routes_table, exchange->http->arena, exchange->http->head->path));
}

void exchange_answer_problem(struct exchange *exchange, struct problem *problem) {
	exchange_answer_data(
	    exchange, problem->status,
	    &(struct event_data){ .kind = EVENT_DATA_PROBLEM, .problem = problem });
	add_status_headers(exchange, problem->status);
}

void exchange_answer_error(struct exchange *exchange, int status, const char *message) {
	exchange_answer_problem(exchange, problem_new(exchange->http->arena, status, message));
}

bool exchange_has_etag(const struct exchange *exchange, const char *etag) {
	const char *header = http_request_header(exchange->http, "if-none-match");
	size_t etag_len = strlen(etag);

	while (header && *header) {
		size_t len;

		header += strspn(header, " \t,");
		if (*header == '*')
			return true;
		header += strncmp(header, "W/", 2) == 0 ? 2 : 0;
		len = strcspn(header, ", \t");
		if (len == etag_len && !memcmp(header, etag, len))
			return true;
		header += len;
	}
	return false;
}

/* --- The query --- */

void exchange_wrong(struct exchange *exchange, struct problem **problem, const char *param,
		    const char *location, const char *value, const char *msg) {
	if (!*problem)
		*problem =
		    problem_new(exchange->http->arena, 400, "The request has invalid parameters.");
	problem_add(exchange->http->arena, *problem, param, location, value, msg);
}

const char *exchange_query(struct exchange *exchange, const char *name, bool *wrong) {
	const char *rest = exchange->http->head->query, *found = NULL;

	while (rest && *rest) {
		size_t len = strcspn(rest, "&"), name_len = MIN(strcspn(rest, "="), len);
		const char *value = rest + MIN(name_len + 1, len);
		char *decoded = router_percent_decode(exchange->http->arena, rest, name_len, true);

		if (decoded && !strcmp(decoded, name)) {
			const char *before = found;

			found = router_percent_decode(exchange->http->arena, value,
						      len - (size_t)(value - rest), true);
			*wrong = *wrong || before || !found;
		}
		rest += len + (rest[len] == '&');
	}
	return *wrong ? NULL : found;
}

/* --- The head --- */

static const char *take_request_id(const struct http_request *http) {
	const char *given = http_request_header(http, "x-request-id");
	struct uuid id = uuid_random();
	char *text;

	if (given && *given && strlen(given) <= REQUEST_ID_MAX &&
	    given[strspn(given, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~")] == '\0')
		return arena_strdup(http->arena, given);
	text = arena_alloc(http->arena, UUID_TEXT_SIZE);
	uuid_format(&id, text);
	return text;
}

static struct exchange *begin(struct gateway *gateway, struct http_request *http) {
	struct exchange *exchange = arena_zalloc(http->arena, sizeof(*exchange));

	exchange->gateway = gateway;
	exchange->http = http;
	exchange->request_id = take_request_id(http);
	http->userdata = exchange;
	return exchange;
}

/* Answers OPTIONS and what is not in the table; returns whether there is a handler. */
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
	} else {
		exchange_answer_error(exchange, 404, "There is nothing at this path.");
	}
	return false;
}

/* Source: RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1. */
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

/* application/json, with any parameters but another charset. */
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
	struct exchange *exchange = begin(userdata, http);

	if (find_route(exchange) && check_token(exchange))
		(void)check_content(exchange);
}

static void on_request(void *userdata _unused_, struct http_request *http) {
	struct exchange *exchange = http->userdata;

	exchange->match.route->handle(exchange);
}

static void on_refused(void *userdata, struct http_request *http, int status, const char *message) {
	exchange_answer_error(http->userdata ? http->userdata : begin(userdata, http), status,
			      message);
}

const struct http_handler exchange_handler = { .on_head = on_head,
					       .on_request = on_request,
					       .on_refused = on_refused };
