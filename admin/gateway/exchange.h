/*
 * One request of the API and its answer: what all handlers share.
 *
 * Every answer has an x-request-id: the request's own where that is 1 to 256 visible characters,
 * else a new one. Errors have the API's body.
 */
#pragma once

#include "domain/command.h"
#include "gateway/parts.h"
#include "gateway/router.h"

struct exchange {
	struct gateway *gateway;
	struct http_request *http;
	struct route_match match;
	bool has_token;
	char tenant_id[TENANT_ID_MAX + 1]; /* the token's */
	char token_id[TOKEN_ID_SIZE];
	const char *request_id;
	struct command command; /* of routes that send one */
};

/* In the arena of `http`, whose userdata it becomes. */
struct exchange *exchange_begin(struct gateway *gateway, struct http_request *http);

void exchange_answer_problem(struct exchange *exchange, struct problem *problem);
/* Without details. */
void exchange_answer_error(struct exchange *exchange, int status, const char *message);
/* `data` as json_append_api_data shows it. */
void exchange_answer_data(struct exchange *exchange, int status, const struct event_data *data);
/* Copied. */
void exchange_answer_text(struct exchange *exchange, int status, const char *content_type,
			  const char *text, size_t len);
/* Text that outlives the server. */
void exchange_answer_fixed(struct exchange *exchange, int status, const char *content_type,
			   const char *text, size_t len);
/* Copied text that is JSON. */
void exchange_answer_json(struct exchange *exchange, int status, const char *text, size_t len);
/* 200 with what a buffer holds; an error where it did not hold all of it. */
void exchange_answer_buffer(struct exchange *exchange, const struct buffer *json);
void exchange_answer_empty(struct exchange *exchange, int status);

/* The value of a parameter of the query, decoded; NULL: it is not there, or (then `*wrong` is set)
 * not well-formed or there more than once. */
const char *exchange_query(struct exchange *exchange, const char *name, bool *wrong);
/* Adds a row to `*problem`, which is made with the first. */
void exchange_wrong(struct exchange *exchange, struct problem **problem, const char *param,
		    const char *location, const char *value, const char *msg);
