#include "gateway/exchange.h"

#include "avro/json.h"
#include "base/uuid.h"

enum { ANSWER_MAX = 16 * 1024 * 1024 };

static const char JSON[] = "application/json", CHALLENGE[] = "Bearer realm=\"posthorn\"";

static const char *take_request_id(const struct http_request *http) {
	const char *given = http_request_header(http, "x-request-id");

	if (given && *given && strlen(given) <= REQUEST_ID_MAX &&
	    given[strspn(given, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~")] == '\0')
		return arena_strdup(http->arena, given);
	return uuid_random_text(http->arena);
}

struct exchange *exchange_begin(struct gateway *gateway, struct http_request *http) {
	struct exchange *exchange = arena_zalloc(http->arena, sizeof(*exchange));

	exchange->gateway = gateway;
	exchange->http = http;
	exchange->request_id = take_request_id(http);
	http->userdata = exchange;
	return exchange;
}

/* --- Answers --- */

/* Sets the headers of every answer. Only the client itself may cache one; the JWKS handlers allow
 * more. */
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
