#include "gateway/command_request.h"

#include "avro/json_walk.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "domain/event_publishing.h"
#include "domain/validation.h"
#include "gateway/command_problem.h"
#include "signature/webhook_secret.h"

#include <jansson.h>

struct reading {
	struct exchange *exchange;
	struct command *command;
	struct problem *problem; /* NULL: no fault so far */
	struct json_text text;   /* of the member that is read */
	bool has_since;
	bool is_unreadable; /* the body cannot be read, so that no member of it is judged */
};

static void json_release(json_t **json) {
	json_decref(*json);
}

static struct arena *arena_of(const struct reading *reading) {
	return reading->exchange->http->arena;
}

/* Adds a detail, whose value is the member's JSON; but not an object or an array, which may hold a
 * secret. */
static void add_wrong(struct reading *reading, const char *param, json_t *value, const char *msg) {
	bool is_plain = !json_is_string(value) && !json_is_object(value) && !json_is_array(value);
	char *text = is_plain ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	exchange_wrong(reading->exchange, &reading->problem, param, "body",
		       json_is_string(value) ? json_string_value(value) : text, msg);
	free(text);
}

/* The same without the value, which may be a secret. */
static void add_wrong_secret(struct reading *reading, const char *param, const char *msg) {
	exchange_wrong(reading->exchange, &reading->problem, param, "body", NULL, msg);
}

/* --- Members --- */

static const char *read_text(struct reading *reading, const char *param, json_t *value) {
	if (json_is_string(value))
		return arena_strdup(arena_of(reading), json_string_value(value));
	add_wrong(reading, param, value, "Must be a string");
	return NULL;
}

static void read_url(struct reading *reading, json_t *value) {
	reading->command->url = read_text(reading, "url", value);
}

static void read_texts(struct reading *reading, const char *param, json_t *value,
		       const char ***items, size_t *count) {
	if (!json_is_array(value)) {
		add_wrong(reading, param, value, "Must be an array of strings");
		return;
	}
	*items = arena_zalloc(arena_of(reading), (json_array_size(value) + 1) * sizeof(**items));
	*count = json_array_size(value);
	for (size_t i = 0; i < *count; i++)
		(*items)[i] =
		    read_text(reading, arena_printf(arena_of(reading), "%s[%zu]", param, i),
			      json_array_get(value, i));
}

static void read_events(struct reading *reading, json_t *value) {
	read_texts(reading, "events", value, &reading->command->events,
		   &reading->command->event_count);
}

static void read_signatures(struct reading *reading, json_t *value) {
	read_texts(reading, "signatures", value, &reading->command->signatures,
		   &reading->command->signature_count);
}

static void read_header_member(struct reading *reading, size_t i, const char *name, json_t *value) {
	struct header_given *header = &reading->command->headers[i];
	const char *param = arena_printf(arena_of(reading), "headers[%zu].%s", i, name);
	bool is_name = !strcmp(name, "name"), is_value = !strcmp(name, "value");

	if (!is_name && !is_value)
		add_wrong_secret(reading, param, "Is not known");
	else if (is_value && json_is_null(value))
		return; /* as if it was not given */
	else if (!json_is_string(value))
		add_wrong_secret(reading, param, "Must be a string");
	else
		*(is_name ? &header->name : &header->value) =
		    arena_strdup(arena_of(reading), json_string_value(value));
}

static void read_header(struct reading *reading, size_t i, json_t *value) {
	const char *name;
	json_t *member;

	json_object_foreach(value, name, member) read_header_member(reading, i, name, member);
}

static void read_headers(struct reading *reading, json_t *value) {
	size_t count = json_array_size(value);

	if (!json_is_array(value)) {
		add_wrong_secret(reading, "headers", "Must be an array of objects");
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!json_is_object(json_array_get(value, i))) {
			add_wrong_secret(reading, "headers", "Must be an array of objects");
			return;
		}
	reading->command->headers =
	    arena_zalloc(arena_of(reading), (count + 1) * sizeof(*reading->command->headers));
	reading->command->header_count = count;
	for (size_t i = 0; i < count; i++)
		read_header(reading, i, json_array_get(value, i));
}

static void read_disabled(struct reading *reading, json_t *value) {
	if (json_is_boolean(value))
		reading->command->disabled = json_is_true(value);
	else
		add_wrong(reading, "disabled", value, "Must be true or false");
}

static void read_description(struct reading *reading, json_t *value) {
	if (!json_is_null(value))
		reading->command->description = read_text(reading, "description", value);
}

static void read_rate_limit(struct reading *reading, json_t *value) {
	json_int_t number = json_integer_value(value);

	if (json_is_null(value))
		return;
	if (!json_is_integer(value) || number < INT32_MIN || number > INT32_MAX) {
		add_wrong(reading, "rateLimit", value, "Must be a whole number of 32 bits");
		return;
	}
	reading->command->has_rate_limit = true;
	reading->command->rate_limit = (int32_t)number;
}

static struct text_list *list_of(struct webhook_filter *filter, const char *name) {
	if (!strcmp(name, "credentialConfigurationId"))
		return &filter->credential_configuration_ids;
	if (!strcmp(name, "format"))
		return &filter->formats;
	if (!strcmp(name, "credentialProfile"))
		return &filter->credential_profiles;
	return !strcmp(name, "subject") ? &filter->subjects : NULL;
}

static void read_filter(struct reading *reading, json_t *value) {
	struct webhook_filter *filter = arena_zalloc(arena_of(reading), sizeof(*filter));
	const char *name;
	json_t *items;

	if (json_is_null(value))
		return;
	if (!json_is_object(value)) {
		add_wrong(reading, "filter", value, "Must be an object");
		return;
	}
	reading->command->filter = filter;
	json_object_foreach(value, name, items) {
		struct text_list *list = list_of(filter, name);
		const char *param = arena_printf(arena_of(reading), "filter.%s", name);

		if (list)
			read_texts(reading, param, items, &list->items, &list->count);
		else
			add_wrong(reading, param, items, "Is not known");
	}
}

static void read_since(struct reading *reading, json_t *value) {
	reading->has_since = true;
	if (json_is_integer(value))
		reading->command->since_ms = json_integer_value(value);
	else if (!json_is_string(value) ||
		 clock_parse_iso8601(json_string_value(value), &reading->command->since_ms))
		add_wrong(
		    reading, "since", value,
		    "Must be a time such as 2026-01-31T12:00:00.000Z, or milliseconds since 1970");
}

static void read_type(struct reading *reading, json_t *value) {
	reading->exchange->event.event_type = read_text(reading, "type", value);
}

static void read_subject(struct reading *reading, json_t *value) {
	if (!json_is_null(value))
		reading->exchange->event.subject = read_text(reading, "subject", value);
}

/* Byte for byte. */
static void read_payload(struct reading *reading, json_t *value _unused_) {
	reading->exchange->event.payload =
	    arena_strndup(arena_of(reading), reading->text.bytes, reading->text.len);
}

struct member {
	const char *name;
	void (*read)(struct reading *reading, json_t *value);
};

static const struct member webhook_members[] = {
	{ "events", read_events },
	{ "url", read_url },
	{ "disabled", read_disabled },
	{ "description", read_description },
	{ "headers", read_headers },
	{ "signatures", read_signatures },
	{ "filter", read_filter },
	{ "rateLimit", read_rate_limit },
	{ 0 },
};
static const struct member recover_members[] = { { "since", read_since }, { 0 } };
static const struct member event_members[] = {
	{ "type", read_type }, { "subject", read_subject }, { "payload", read_payload }, { 0 }
};
static const struct member no_members[] = { { 0 } };

static const struct member *members_of(enum operation operation) {
	switch (operation) {
	case OPERATION_CREATE_WEBHOOK:
	case OPERATION_UPDATE_WEBHOOK:
		return webhook_members;
	case OPERATION_RECOVER_DELIVERIES:
		return recover_members;
	case OPERATION_UNKNOWN:
		return event_members;
	default:
		return no_members;
	}
}

static void read_member(struct reading *reading, const struct member *members, const char *name,
			json_t *value) {
	while (members->name && strcmp(members->name, name) != 0)
		members++;
	if (members->name)
		members->read(reading, value);
	else
		add_wrong(reading, arena_strdup(arena_of(reading), name), value, "Is not known");
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
	json = body->len ? json_loadb(body->data, body->len, JSON_REJECT_DUPLICATES, &error) : NULL;
	if (!json_is_object(json)) {
		refuse_body(reading, why_no_object(reading, json, &error));
		return;
	}
	walk = begin_walk(body);
	/* jansson keeps the order of the text. */
	json_object_foreach(json, name, value) {
		bool has_text = json_walk_member(&walk, &raw_name, &reading->text);

		invariant(has_text, "an object has the members of its text");
		read_member(reading, members_of(reading->command->operation), name, value);
	}
}

/* Refuses a recovery without `since`, the one member that a command cannot leave empty. */
static void check_since(struct reading *reading) {
	if (reading->command->operation == OPERATION_RECOVER_DELIVERIES && !reading->has_since &&
	    !reading->is_unreadable)
		exchange_wrong(reading->exchange, &reading->problem, "since", "body", NULL,
			       "Must be given");
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

/* Drops a header that is not a trace context, as the worker would. */
static const char *read_traceparent(const struct http_request *http) {
	const char *text = http_request_header(http, "traceparent");

	return text && http_request_header_count(http, "traceparent") == 1 &&
		       utf8_is_text(text, strlen(text))
		   ? arena_strdup(http->arena, text)
		   : NULL;
}

static void read_envelope(struct reading *reading) {
	struct exchange *exchange = reading->exchange;

	reading->command->envelope = (struct command_envelope){
		.command_id = read_idempotency_key(reading),
		.tenant_id = exchange->tenant_id,
		.request_id = exchange->request_id,
		.client_id = exchange->token_id,
		.timestamp_ms = clock_wall_ms(),
		.traceparent = read_traceparent(exchange->http),
	};
}

/* --- Values --- */

static bool is_named(const struct problem *problem, const char *param) {
	for (size_t i = 0; problem && i < problem->detail_count; i++)
		if (!strcmp(problem->details[i].param, param))
			return true;
	return false;
}

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
	check_since(&reading);
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
