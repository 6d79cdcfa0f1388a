/*
 * One request of the API and its answer, as all handlers use them.
 *
 * Every answer has an x-request-id: that of the request where it has 1 to 256 visible characters,
 * else a new one. Errors have the API's body.
 */
#pragma once

#include "domain/command.h"
#include "gateway/parts.h"
#include "gateway/router.h"
#include "signature/webhook_secret.h"

struct exchange {
	struct gateway *gateway;
	struct http_request *http;
	struct route_match match;
	bool has_token;
	char tenant_id[TENANT_ID_MAX + 1]; /* the token's */
	char token_id[TOKEN_ID_SIZE];
	const char *request_id;
	struct command command;           /* for routes that send a command */
	struct event_command event;       /* for the one that publishes an event: of `command`, the
					     envelope alone is used */
	uint8_t private_key[BOX_KEY_LEN]; /* that a webhook's secret is asked for with; wiped when
					     the answer came, or none */
};

/* Makes an exchange in the arena of `http`, and makes it its userdata. */
struct exchange *exchange_begin(struct gateway *gateway, struct http_request *http);

void exchange_answer_problem(struct exchange *exchange, struct problem *problem);
/* Answers with a problem without details. */
void exchange_answer_error(struct exchange *exchange, int status, const char *message);
/* Answers with `data` as JSON (json_append_api_data). */
void exchange_answer_data(struct exchange *exchange, int status, const struct event_data *data);
/* Answers with a copy of the text. */
void exchange_answer_text(struct exchange *exchange, int status, const char *content_type,
			  const char *text, size_t len);
/* Answers with text that outlives the server. */
void exchange_answer_fixed(struct exchange *exchange, int status, const char *content_type,
			   const char *text, size_t len);
/* Answers with a copy of JSON text. */
void exchange_answer_json(struct exchange *exchange, int status, const char *text, size_t len);
/* Answers 200 with the content of the buffer, or 500 where it overflowed. */
void exchange_answer_buffer(struct exchange *exchange, const struct buffer *json);
void exchange_answer_empty(struct exchange *exchange, int status);

/* The decoded value of a query parameter; NULL where it is absent. Sets `*wrong` and returns NULL
 * where it is malformed or repeated. */
const char *exchange_query(struct exchange *exchange, const char *name, bool *wrong);
/* Adds a detail to `*problem`, which is made with the first one. */
void exchange_wrong(struct exchange *exchange, struct problem **problem, const char *param,
		    const char *location, const char *value, const char *msg);
