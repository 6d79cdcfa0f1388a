/* Requests that are answered from the history: deliveries, events and statistics. */
#include "base/clock.h"
#include "domain/limits.h"
#include "gateway/exchange.h"
#include "gateway/query_values.h"
#include "gateway/serve.h"
#include "history/statistics.h"

#include <string.h>

static void read_status(struct exchange *exchange, struct problem **problem,
			struct history_query *query) {
	bool wrong = false;
	const char *text = exchange_query(exchange, "status", &wrong);

	for (int status = 0; text && status < HISTORY_STATUS_COUNT; status++) {
		if (strcmp(text, history_status_name((enum history_status)status)) != 0)
			continue;
		query->status = (enum history_status)status;
		query->has_status = true;
	}
	if (wrong || (text && !query->has_status))
		exchange_wrong(exchange, problem, "status", "query", text,
			       "Must be pending, succeeded, dead or withdrawn");
}

static void read_type(struct exchange *exchange, struct problem **problem,
		      struct history_query *query) {
	bool wrong = false;

	query->type = exchange_query(exchange, "type", &wrong);
	if (wrong ||
	    (query->type && (!*query->type || strlen(query->type) > 64 ||
			     query->type[strspn(query->type, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_*")])))
		exchange_wrong(exchange, problem, "type", "query", query->type,
			       "Must be an event type; * stands for any text");
}

static struct problem *read_query(struct exchange *exchange, struct history_query *query) {
	struct problem *problem = NULL;
	int64_t http_status = 0;

	*query = (struct history_query){ .tenant_id = exchange->tenant_id,
					 .to_ms = INT64_MAX,
					 .before = INT64_MAX };
	query_read_text(exchange, &problem, "subject", IDENTIFIER_MAX, &query->subject);
	query_read_text(exchange, &problem, "commandId", IDENTIFIER_MAX, &query->command_id);
	query_read_uuid(exchange, &problem, "eventId", &query->event_id, &query->has_event_id);
	query_read_uuid(exchange, &problem, "webhookId", &query->webhook_id,
			&query->has_webhook_id);
	read_status(exchange, &problem, query);
	query_read_number(exchange, &problem, "httpStatus", 100, 999, "Must be an HTTP status",
			  &http_status);
	query_read_time(exchange, &problem, "from", &query->from_ms);
	query_read_time(exchange, &problem, "to", &query->to_ms);
	query_read_limit(exchange, &problem, &query->limit);
	query_read_number(exchange, &problem, "cursor", 1, INT64_MAX, "Invalid value",
			  &query->before);
	query->http_status = (int32_t)http_status;
	return problem;
}

static struct problem *not_found(struct exchange *exchange) {
	struct problem *problem =
	    problem_new(exchange->http->arena, 404, "The delivery does not exist.");

	problem->type = "resource";
	problem_add(exchange->http->arena, problem, "id", "params", exchange->match.parameters[0],
		    "Not found");
	return problem;
}

/* `r`: of the query; `*out` the answer. */
static void answer(struct exchange *exchange, int r, const struct buffer *out) {
	if (r == HISTORY_E_NOT_FOUND)
		exchange_answer_problem(exchange, not_found(exchange));
	else if (r)
		exchange_answer_error(exchange, 503, "The history cannot be read.");
	else
		exchange_answer_buffer(exchange, out);
}

typedef int (*query_fn)(struct history *history, struct exchange *exchange,
			const struct history_query *query, struct buffer *out);

static void serve(struct exchange *exchange, const struct history_query *query, query_fn fn) {
	_cleanup_(buffer_destroy) struct buffer out = BUFFER_INIT(QUERY_BYTES_MAX);
	struct history_follower *follower = exchange->gateway->history;
	struct history *history = history_follower_borrow(follower);

	if (!history) {
		exchange_answer_error(exchange, 503, "The history is being read.");
		return;
	}
	answer(exchange, fn(history, exchange, query, &out), &out);
	history_follower_return(follower);
}

static int query_deliveries(struct history *history, struct exchange *exchange _unused_,
			    const struct history_query *query, struct buffer *out) {
	return history_query_deliveries(history, query, out);
}

static int query_events(struct history *history, struct exchange *exchange _unused_,
			const struct history_query *query, struct buffer *out) {
	return history_query_events(history, query, out);
}

static int query_delivery(struct history *history, struct exchange *exchange,
			  const struct history_query *query _unused_, struct buffer *out) {
	struct uuid id;

	if (uuid_parse(exchange->match.parameters[0], &id))
		return HISTORY_E_NOT_FOUND;
	return history_query_delivery(history, exchange->tenant_id, &id, exchange->http->arena,
				      out);
}

static int query_statistics(struct history *history, struct exchange *exchange,
			    const struct history_query *query, struct buffer *out) {
	return history_query_statistics(history, exchange->tenant_id, &query->webhook_id,
					clock_wall_ms(), out);
}

void serve_history_deliveries(struct exchange *exchange) {
	struct history_query query;
	struct problem *problem = read_query(exchange, &query);

	if (problem)
		exchange_answer_problem(exchange, problem);
	else
		serve(exchange, &query, query_deliveries);
}

void serve_events(struct exchange *exchange) {
	struct history_query query;
	struct problem *problem = read_query(exchange, &query);

	read_type(exchange, &problem, &query);
	if (problem)
		exchange_answer_problem(exchange, problem);
	else
		serve(exchange, &query, query_events);
}

void serve_history_delivery(struct exchange *exchange) {
	serve(exchange, NULL, query_delivery);
}

void serve_statistics(struct exchange *exchange) {
	const char *id = exchange->match.parameters[0];
	struct history_query query = { 0 };
	struct problem *problem = NULL;

	if (uuid_parse(id, &query.webhook_id) == 0) {
		serve(exchange, &query, query_statistics);
		return;
	}
	exchange_wrong(exchange, &problem, "id", "params", id, "Invalid value");
	exchange_answer_problem(exchange, problem);
}
