/*
 * HTTP/1.1 on a port, with or without TLS.
 *
 *     server ──► loop (a thread with an epoll, one or more) ──► connection ──► request ──► handler
 *                  │ the first one accepts, and gives a connection to the least loaded loop
 *                  └─ its places: deadlines, and which connection makes room (places.h)
 *
 * A connection stays with its loop, and so does everything that belongs to it, without locks. Other
 * threads pass accepted connections, and the answers to waiting requests, through a loop's inbox. A
 * waiting request holds no thread.
 *
 * connection.h draws a connection's states. A connection has one request at a time, and one answer:
 * a client that sends many and reads none takes no more memory than that.
 */
#pragma once

#include "http/options.h"
#include "http/request.h"
#include "http/tls.h"

struct http_server;

/* Starts a server. Returns 0, or a negative errno after logging. Borrows the options, apart from
 * `tls`, only during the call. */
int http_server_start(const struct http_options *options, struct http_server **out) _must_check_;
uint16_t http_server_port(const struct http_server *server);
unsigned http_server_connections(const struct http_server *server);
/* The number of requests in memory, from the end of their head to the end of their answer. */
unsigned http_server_requests(const struct http_server *server);
/* The number of complete requests among them, which are owed an answer. */
unsigned http_server_owed(const struct http_server *server);
/* Whether a thread of the server has not come round for `limit_ms`. Any thread. */
bool http_server_is_stuck(const struct http_server *server, int64_t limit_ms);
/* Accepts no new connections; existing ones end with their next answer. */
void http_server_drain(struct http_server *server);
/* Waits for the answers of waiting requests, and ends everything else. The counts above stay
 * readable until http_server_free. */
void http_server_stop(struct http_server *server);
/* Stops the server first where that has not happened. */
void http_server_free(struct http_server *server);
DEFINE_CLEANUP(struct http_server, http_server_free)
