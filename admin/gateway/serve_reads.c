/* Requests that are answered from memory: JWKS, and the deliveries of a webhook. */
#include "base/clock.h"
#include "changelog/delivery_json.h"
#include "gateway/exchange.h"
#include "gateway/query_values.h"
#include "gateway/serve.h"

#include <strings.h>

/* --- JWKS --- */

static void answer_keys(struct exchange *exchange, const struct public_key_set *set) {
	struct http_answer *answer = &exchange->http->answer;

	exchange->has_token = false; /* the answer is public, also to a request with a token */
	if (etag_is_named(http_request_header(exchange->http, "if-none-match"), set->etag))
		exchange_answer_empty(exchange, 304);
	else
		exchange_answer_json(exchange, 200, set->text, set->len);
	http_answer_header(answer, "etag", arena_strdup(exchange->http->arena, set->etag));
	/* An empty set is not cached: the first key comes with the tenant's first webhook. */
	http_answer_header(answer, "cache-control",
			   set->is_empty ? "no-cache" : "public, max-age=60");
	http_answer_header(answer, "vary", "authorization, host");
	http_answer_header(answer, "access-control-allow-origin", "*");
}

static void serve_keys_of(struct exchange *exchange, const char *tenant_id) {
	struct public_key_set set;

	if (!state_follower_is_ready(exchange->gateway->state)) {
		exchange_answer_error(exchange, 503, "The keys are being read.");
		return;
	}
	if (public_keys_get(state_follower_keys(exchange->gateway->state), exchange->http->arena,
			    tenant_id, clock_wall_ms(), &set))
		exchange_answer_error(exchange, 500, "The keys are more than an answer may hold.");
	else
		answer_keys(exchange, &set);
}

/* The first label of the host under gateway.domain, or NULL. It is in lower case, since hosts have
 * no case. */
static const char *tenant_of_host(struct exchange *exchange) {
	const char *host = exchange->http->head->host,
		   *domain = exchange->gateway->config->gateway_domain;
	size_t label_len = strcspn(host, ".");

	if (!domain || !label_len || !host[label_len] ||
	    strcasecmp(host + label_len + 1, domain) != 0)
		return NULL;
	return arena_strndup(exchange->http->arena, host, label_len);
}

/* A request without a token names its tenant by the host, or gets the default one. */
void serve_jwks(struct exchange *exchange) {
	const char *tenant_id =
	    exchange->has_token ? exchange->tenant_id : tenant_of_host(exchange);

	if (!tenant_id)
		tenant_id = exchange->gateway->config->gateway_default_tenant;
	if (tenant_id)
		serve_keys_of(exchange, tenant_id);
	else
		exchange_answer_error(
		    exchange, 404,
		    "Nothing says whose keys: ask for /v1/tenants/{tenantId}/webhooks/jwks.");
}

void serve_tenant_jwks(struct exchange *exchange) {
	const char *tenant_id = exchange->match.parameters[0];
	struct problem *problem = NULL;

	if (strlen(tenant_id) <= TENANT_ID_MAX) {
		serve_keys_of(exchange, tenant_id);
		return;
	}
	exchange_wrong(exchange, &problem, "tenantId", "params", tenant_id,
		       "Must be at most 256 bytes");
	exchange_answer_problem(exchange, problem);
}

/* --- Deliveries --- */

static void read_status(struct exchange *exchange, struct problem **problem,
			struct delivery_query *query) {
	bool wrong = false;
	const char *text = exchange_query(exchange, "status", &wrong);

	query->has_status = text;
	if (wrong || (text && (delivery_status_parse(text, &query->status) ||
			       query->status == DELIVERY_SUCCEEDED)))
		exchange_wrong(exchange, problem, "status", "query", text,
			       "Must be pending or dead");
}

static void read_cursor(struct exchange *exchange, struct problem **problem, struct cursor *out) {
	bool wrong = false;
	const char *text = exchange_query(exchange, "cursor", &wrong);

	if (wrong || (text && cursor_parse(text, out)))
		exchange_wrong(exchange, problem, "cursor", "query", text, "Invalid value");
}

static struct problem *read_delivery_query(struct exchange *exchange,
					   struct delivery_query *query) {
	const char *id = exchange->match.parameters[0];
	struct problem *problem = NULL;

	*query = (struct delivery_query){ .tenant_id = exchange->tenant_id };
	if (uuid_parse(id, &query->webhook_id))
		exchange_wrong(exchange, &problem, "id", "params", id, "Invalid value");
	read_status(exchange, &problem, query);
	query_read_limit(exchange, &problem, &query->limit);
	read_cursor(exchange, &problem, &query->after);
	return problem;
}

static struct problem *not_found(struct exchange *exchange) {
	struct problem *problem =
	    problem_new(exchange->http->arena, 404, "The webhook does not exist.");

	problem->type = "resource";
	problem_add(exchange->http->arena, problem, "id", "params", exchange->match.parameters[0],
		    "Not found");
	return problem;
}

void serve_deliveries(struct exchange *exchange) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(DELIVERY_PAGE_BYTES_MAX);
	struct state_follower *state = exchange->gateway->state;
	struct delivery_query query;
	struct problem *problem = read_delivery_query(exchange, &query);

	if (problem)
		exchange_answer_problem(exchange, problem);
	else if (!state_follower_is_ready(state))
		exchange_answer_error(exchange, 503, "The deliveries are being read.");
	else if (delivery_index_query(state_follower_deliveries(state), exchange->http->arena,
				      &query, &out))
		exchange_answer_problem(exchange, not_found(exchange));
	else
		exchange_answer_buffer(exchange, &out);
}
