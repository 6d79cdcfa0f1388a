/*
 * HTTP/1.1 on a port, with or without TLS.
 *
 *     server ──► loop (a thread with an epoll, one or more) ──► connection ──► request ──► handler
 *                  │ the first one accepts, and gives a connection to the loop that has the fewest
 *                  └─ its places: deadlines, and who makes room (places.h)
 *
 * A connection stays with its loop, and so does all that belongs to it: nothing there is locked.
 * What comes from other threads, connections that were accepted and answers to requests that
 * waited, comes through a loop's inbox. A waiting request holds no thread.
 *
 * A connection's states are drawn in connection.h. It has one request at a time, and one answer: of
 * a client that sends many and reads none, no more than that is ever in memory.
 */
#pragma once

#include "base/config.h"
#include "http/request.h"
#include "http/tls.h"

struct http_server;

enum {
	HTTP_DRAIN_MAX = 4 * 1024 * 1024, /* bytes of a body that nobody wants, which are read so
					     that the client can read its answer */
	HTTP_LINGER_MS = 2000, /* for which a connection without a further answer waits for its
				  client to end it */
};

struct http_options {
	const char *key; /* of the configuration, for messages */
	const struct listen_address *listen;
	unsigned threads;
	unsigned connections_max;
	int64_t client_timeout_ms; /* from its opening, or from the first byte, to a whole request;
				      and to take an answer */
	int64_t idle_timeout_ms;   /* at rest behind an answer */
	size_t body_max;
	struct http_tls *tls;               /* borrowed for the server's life; NULL: plain text */
	const struct http_handler *handler; /* copied */
};

/* Returns 0, or a negative errno after logging. The options but `tls` are borrowed until then only.
 */
int http_server_start(const struct http_options *options, struct http_server **out) _must_check_;
uint16_t http_server_port(const struct http_server *server);
unsigned http_server_connections(const struct http_server *server);
/* Requests of which anything is in memory, from the end of their head to the end of their answer.
 */
unsigned http_server_requests(const struct http_server *server);
/* Of them those that are there as a whole: they are owed an answer. */
unsigned http_server_owed(const struct http_server *server);
/* No new connections; those that there are end with their next answer. */
void http_server_drain(struct http_server *server);
/* Waits for the answers of requests that wait, and ends all else. It can be asked for its counts
 * until it is freed. */
void http_server_stop(struct http_server *server);
/* Stops it first, where nobody has. */
void http_server_free(struct http_server *server);
DEFINE_CLEANUP(struct http_server, http_server_free)
