/*
 * Ports for operators: GET and HEAD of a few paths, in plain text.
 *
 * One thread and 256 connections, each with 5 s for its request. The client with the most
 * connections makes room, so that one that opens many and sends nothing keeps no other from being
 * answered.
 */
#pragma once

#include "http/options.h"

struct http_options http_operations_options(const char *key, const struct listen_address *listen,
					    const struct http_handler *handler);

/* Handler functions: the first answers other methods with 405, the second a malformed request
 * with its status. */
void http_operations_head(void *userdata, struct http_request *request);
void http_operations_refused(void *userdata, struct http_request *request, int status,
			     const char *message);
