#include "gateway/command_request.h"

#include "avro/json_parse.h"
#include "avro/json_walk.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "domain/event_publishing.h"
#include "domain/validation.h"
#include "gateway/body_members.h"
#include "gateway/command_problem.h"
#include "signature/webhook_secret.h"

static void json_release(json_t **json) {
	json_decref(*json);
}

static struct arena *arena_of(const struct reading *reading) {
	return reading->exchange->http->arena;
}

/* --- The body --- */

static void refuse_body(struct reading *reading, const char *msg) {
	exchange_wrong(reading->exchange, &reading->problem, "body", "body", NULL, msg);
	reading->problem->message = "The body is not what it must be.";
	reading->is_unreadable = true;
}

/* `json` is NULL where `error` says why. */
static const char *why_no_object(const struct reading *reading, const json_t *json,
				 const json_error_t *error) {
	if (!reading->exchange->http->body.len)
		return "Must not be empty";
	if (json)
		return "Must be a JSON object";
	return arena_printf(arena_of(reading), "Must be JSON: %s (line %d, column %d)",
			    utf8_is_text(error->text, strlen(error->text)) ? error->text
									   : "not UTF-8",
			    error->line, error->column);
}

static struct json_walk begin_walk(const struct buffer *body) {
	size_t blanks = strspn(body->data, " \t\r\n");

	return json_walk_begin((struct json_text){ body->data + blanks, body->len - blanks });
}

static void read_body(struct reading *reading) {
	const struct buffer *body = &reading->exchange->http->body;
	_cleanup_(json_release) json_t *json = NULL;
	struct json_text raw_name;
	struct json_walk walk;
	json_error_t error;
	const char *name;
	json_t *value;

	if (!body->len && reading->exchange->match.route->body == ROUTE_MAYBE_JSON)
		return;
	json = body->len ? json_parse(body->data, body->len, JSON_REJECT_DUPLICATES, &error) : NULL;
	if (!json_is_object(json)) {
		refuse_body(reading, why_no_object(reading, json, &error));
		return;
	}
	walk = begin_walk(body);
	/* jansson keeps the order of the text. */
	json_object_foreach(json, name, value) {
		bool has_text = json_walk_member(&walk, &raw_name, &reading->text);

		invariant(has_text, "an object has the members of its text");
		body_members_read(reading, name, value);
	}
}

static bool is_named(const struct problem *problem, const char *param) {
	for (size_t i = 0; problem && i < problem->detail_count; i++)
		if (!strcmp(problem->details[i].param, param))
			return true;
	return false;
}

static void check_given(struct reading *reading, const char *name, bool is_given) {
	if (!is_given && !reading->is_unreadable && !is_named(reading->problem, name))
		exchange_wrong(reading->exchange, &reading->problem, name, "body", NULL,
			       "Must be given");
}

/* Refuses what lacks a member that a command cannot leave empty. */
static void check_members(struct reading *reading) {
	const struct event_command *event = &reading->exchange->event;

	if (reading->command->operation == OPERATION_RECOVER_DELIVERIES)
		check_given(reading, "since", reading->has_since);
	if (reading->command->operation != OPERATION_UNKNOWN)
		return;
	check_given(reading, "type", event->event_type);
	check_given(reading, "payload", event->payload);
}

/* --- The query --- */

static void wrong_query(struct reading *reading, const char *name) {
	exchange_wrong(reading->exchange, &reading->problem, name, "query", NULL,
		       "Must be given once, and be UTF-8 text");
}

static void read_limit(struct reading *reading) {
	bool wrong = false;
	const char *text = exchange_query(reading->exchange, "limit", &wrong);
	int64_t number;

	if (wrong)
		wrong_query(reading, "limit");
	if (!text)
		return;
	if (number_parse(text, INT32_MIN, INT32_MAX, &number)) {
		exchange_wrong(reading->exchange, &reading->problem, "limit", "query", text,
			       "Must be between 1 and 1000");
		return;
	}
	reading->command->has_limit = true;
	reading->command->limit = (int32_t)number;
}

static void read_cursor(struct reading *reading) {
	bool wrong = false;

	reading->command->cursor = exchange_query(reading->exchange, "cursor", &wrong);
	if (wrong)
		wrong_query(reading, "cursor");
}

/* --- The headers --- */

/* The key, plain or in quotes as a structured field's string. Source:
 * draft-ietf-httpapi-idempotency-key-header-07 section 2.1. */
static const char *read_idempotency_key(struct reading *reading) {
	const struct http_request *http = reading->exchange->http;
	const char *key = http_request_header(http, "idempotency-key");
	size_t len = key ? strlen(key) : 0;

	if (!key || operation_is_read(reading->command->operation))
		return uuid_random_text(http->arena);
	if (!utf8_is_text(key, len) || http_request_header_count(http, "idempotency-key") > 1) {
		exchange_wrong(reading->exchange, &reading->problem, "Idempotency-Key", "headers",
			       NULL, "Must be given once, and be UTF-8 text");
		return "";
	}
	return len >= 2 && key[0] == '"' && key[len - 1] == '"'
		   ? arena_strndup(http->arena, key + 1, len - 2)
		   : arena_strdup(http->arena, key);
}

/* What is not of a trace context the worker leaves out; Kafka's headers are UTF-8. */
static const char *text_or_null(const char *text) {
	return text && utf8_is_text(text, strlen(text)) ? text : NULL;
}

static void read_envelope(struct reading *reading) {
	struct exchange *exchange = reading->exchange;
	const struct http_request *http = exchange->http;

	reading->command->envelope = (struct command_envelope){
		.command_id = read_idempotency_key(reading),
		.tenant_id = exchange->tenant_id,
		.request_id = exchange->request_id,
		.client_id = exchange->token_id,
		.timestamp_ms = clock_wall_ms(),
		.traceparent = text_or_null(http_request_header_list(http, "traceparent")),
		.tracestate = text_or_null(http_request_header_list(http, "tracestate")),
	};
}

/* --- Values --- */

/* Adds the faults of the values, by the worker's rules: a request that is refused here is refused
 * with all its faults, in one order. */
static void add_values(struct reading *reading) {
	const struct config *config = reading->exchange->gateway->config;
	const struct webhook_rules rules = webhook_rules_of(config);
	struct validation validation = { .arena = arena_of(reading) };
	struct problem *values;

	if (reading->command->operation == OPERATION_UNKNOWN)
		validate_event(&validation, &reading->exchange->event, rules.catalogue);
	else
		validate_command(&validation, reading->command, &rules);
	values = validation.problem
		     ? command_problem_name_headers(arena_of(reading), validation.problem)
		     : NULL;
	for (size_t i = 0; values && i < values->detail_count; i++) {
		const struct problem_detail *row = &values->details[i];

		if (!is_named(reading->problem, row->param) &&
		    !(reading->is_unreadable && !strcmp(row->location, "body")))
			exchange_wrong(reading->exchange, &reading->problem, row->param,
				       row->location, row->value, row->msg);
	}
	command_problem_sort(reading->problem);
}

/* The answer stands on webhook-results: it is sealed for a key that only this request has. */
static void ask_for_secret(struct exchange *exchange) {
	char *public_key = arena_alloc(exchange->http->arena, BOX_KEY_TEXT_SIZE);

	webhook_secret_ask(exchange->private_key, public_key);
	exchange->command.public_key = public_key;
}

struct problem *command_request_read(struct exchange *exchange) {
	struct reading reading = { .exchange = exchange, .command = &exchange->command };

	exchange->command =
	    (struct command){ .operation = (enum operation)exchange->match.route->detail,
			      .id = exchange->match.parameters[0],
			      .url = "",
			      .since_ms = -1 };
	read_envelope(&reading);
	exchange->event = (struct event_command){ .envelope = exchange->command.envelope };
	if (exchange->command.operation == OPERATION_RETRIEVE_SECRET)
		ask_for_secret(exchange);
	if (exchange->match.route->body != ROUTE_NO_BODY)
		read_body(&reading);
	check_members(&reading);
	if (exchange->command.operation == OPERATION_RETRIEVE_WEBHOOKS) {
		read_limit(&reading);
		read_cursor(&reading);
	}
	/* Refuses here, too, an id that the worker would not look up a receipt by, or that is too
	 * long to come back whole. */
	if (reading.problem || !is_command_id(exchange->command.envelope.command_id))
		add_values(&reading);
	return reading.problem;
}
