/* Requests that become commands: sent, and answered with their outcome. */
#include "gateway/command_problem.h"
#include "gateway/command_request.h"
#include "gateway/serve.h"

#include <sodium.h>

/* Adds the command id, given or new, with which to repeat a request whose answer was lost. */
static void show_command_id(struct exchange *exchange) {
	if (exchange->match.route->body != ROUTE_NO_BODY ||
	    !strcmp(exchange->match.route->method, "DELETE"))
		http_answer_header(&exchange->http->answer, "idempotency-key",
				   exchange->command.envelope.command_id);
}

/* Answers with the secret, which is sealed for this request. */
static void answer_secret(struct exchange *exchange, const struct analytic_event *outcome) {
	struct event_data data = outcome->data;
	char secret[WEBHOOK_SECRET_TEXT_SIZE];

	if (webhook_secret_open(exchange->private_key, outcome->data.secret.secret, secret)) {
		exchange_answer_error(exchange, 503, "The secret was sealed for another request.");
		return;
	}
	data.secret.secret = secret;
	exchange_answer_data(exchange, outcome->status, &data);
	sodium_memzero(secret, sizeof(secret));
}

static void answer_outcome(struct exchange *exchange, const struct analytic_event *outcome) {
	struct arena *arena = exchange->http->arena;
	char id[UUID_TEXT_SIZE];

	if (outcome->data.kind == EVENT_DATA_PROBLEM)
		exchange_answer_data(exchange, outcome->status,
				     &(struct event_data){ .kind = EVENT_DATA_PROBLEM,
							   .problem = command_problem_name_headers(
							       arena, outcome->data.problem) });
	else if (outcome->data.kind == EVENT_DATA_SECRET && outcome->data.secret.secret)
		answer_secret(exchange, outcome);
	else
		exchange_answer_data(exchange, outcome->status, &outcome->data);
	if (outcome->status == 201 && outcome->data.kind == EVENT_DATA_WEBHOOK) {
		uuid_format(&outcome->data.webhook.id, id);
		http_answer_header(&exchange->http->answer, "location",
				   arena_printf(arena, "/v1/webhooks/%s", id));
	}
	if (outcome->repeat)
		http_answer_header(&exchange->http->answer, "idempotent-replayed", "true");
	show_command_id(exchange);
}

static void answer_timeout(struct exchange *exchange) {
	atomic_fetch_add(&exchange->gateway->metrics.timeouts, 1);
	exchange_answer_error(
	    exchange, 503,
	    "No worker answered in time. The request may still be carried out: repeat it "
	    "with the same Idempotency-Key.");
	show_command_id(exchange);
}

static void wipe_key(struct exchange *exchange) {
	sodium_memzero(exchange->private_key, sizeof(exchange->private_key));
}

static void end_wait(struct exchange *exchange) {
	wipe_key(exchange);
	http_request_answered(exchange->http);
}

/* Called on the thread that settles or expires. */
static void on_outcome(void *userdata, const struct analytic_event *outcome) {
	struct exchange *exchange = userdata;

	if (outcome)
		answer_outcome(exchange, outcome);
	else
		answer_timeout(exchange);
	end_wait(exchange);
}

static void answer_unsent(struct exchange *exchange, int r) {
	if (r == SENDER_E_TOO_LARGE)
		exchange_answer_error(exchange, 413,
				      "The command is larger than command.max.bytes.");
	else
		exchange_answer_error(exchange, 503, "Kafka does not take commands now.");
	end_wait(exchange);
}

/* Answers a request that is repeated before the first one has its outcome. Source:
 * draft-ietf-httpapi-idempotency-key-header-07 section 2.6. */
static void answer_under_way(struct exchange *exchange) {
	struct problem *problem =
	    problem_new(exchange->http->arena, 409,
			"A request with this Idempotency-Key and x-request-id is under way.");

	problem_add(exchange->http->arena, problem, "Idempotency-Key", "headers",
		    exchange->command.envelope.command_id, "Must wait for the first one's outcome");
	exchange_answer_problem(exchange, problem);
	http_answer_header(&exchange->http->answer, "retry-after", "1");
	show_command_id(exchange);
}

static void answer_untaken(struct exchange *exchange, int r) {
	if (r == PENDING_E_EXISTS)
		answer_under_way(exchange);
	else
		exchange_answer_error(exchange, 429,
				      "Too many requests are waiting for their outcome.");
	end_wait(exchange);
}

/* Makes the connection wait before the request is in the table, and adds it to the table before the
 * command is sent: the answer may come before either call returns. */
static void send_and_wait(struct exchange *exchange) {
	struct gateway *gateway = exchange->gateway;
	const struct command *command = &exchange->command;
	int r;

	http_request_wait(exchange->http);
	r = pending_add(gateway->pending, &command->envelope, on_outcome, exchange);
	if (r) {
		answer_untaken(exchange, r);
		return;
	}
	if (command->operation == OPERATION_UNKNOWN)
		r = sender_send_event(gateway->event_sender, &exchange->event);
	else
		r = sender_send(gateway->sender, command);
	if (r && pending_cancel(gateway->pending, &command->envelope, exchange))
		answer_unsent(exchange, r);
}

void serve_command(struct exchange *exchange) {
	struct problem *problem = command_request_read(exchange);

	if (!problem) {
		send_and_wait(exchange);
		return;
	}
	exchange_answer_problem(exchange, problem);
	wipe_key(exchange);
}
