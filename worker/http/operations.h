/*
 * Ports for operators: GET and HEAD of a few paths, in plain text.
 *
 * One thread and 256 connections, each with 5 s for its request; whoever has the most of them makes
 * room. So a client that opens many and says nothing keeps nobody else from being answered.
 */
#pragma once

#include "http/server.h"

struct http_options http_operations_options(const char *key, const struct listen_address *listen,
					    const struct http_handler *handler);

/* For the handler: another method is answered with 405, and what is no request with its status. */
void http_operations_head(void *userdata, struct http_request *request);
void http_operations_refused(void *userdata, struct http_request *request, int status,
			     const char *message);
