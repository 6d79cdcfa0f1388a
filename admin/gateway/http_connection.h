/* The connections of a server, and until when each must have brought or taken something. */
#pragma once

#include "base/memory.h"

#include <stdint.h>

struct http_connections;
struct http_connection;

struct http_connections *http_connections_new(int64_t timeout_ms);
void http_connections_free(struct http_connections *connections);

/* All of these from any thread; a NULL connection is none. The descriptor is open from add to remove. */
struct http_connection *http_connections_add(struct http_connections *connections, int fd);
void http_connections_remove(struct http_connections *connections, struct http_connection *connection);
/* It is the client's turn: the timeout begins. */
void http_connection_expect(const struct http_connections *connections, struct http_connection *connection);
/* It is our turn: no time runs. */
void http_connection_rest(struct http_connection *connection);

/* Shuts down those whose time is over; their thread sees that as the client's end. */
void http_connections_sweep(struct http_connections *connections);
unsigned http_connections_count(struct http_connections *connections);
