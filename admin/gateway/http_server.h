/*
 * HTTP/1.1 on a port: the one place that knows libmicrohttpd.
 *
 * A few threads serve all connections, each with an epoll of its own. A request passes through these states, always on its connection's thread,
 * until it waits:
 *
 *      target ──► head ──────────► body ──────────► complete ──► answered ──► sent ──► (next request)
 *                  │ on_head        (limit)          │ on_request   ▲
 *                  │                                 ▼              │
 *                  └─ answered already: the body     waiting ───────┘
 *                     is read and dropped            http_request_wait        http_request_answered, any thread
 *
 * A waiting request holds no thread: its connection is suspended. What is refused by its head is still read, up to DRAIN_MAX, so that a client that
 * sends first and reads then gets its answer and keeps its connection.
 *
 * What libmicrohttpd itself cannot read (a length that is no number, a head beyond its memory, chunks that are none) it answers itself: the right status, with a page of
 * its own instead of the API's body, and closes.
 *
 * Slow clients: from its opening, or from the last response, a connection has `client_timeout_ms` to bring a whole request, and as long again to take a response.
 * Then it is cut off. Bytes that trickle in do not move that time.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/config.h"

struct http_server;
struct http_request;

struct http_header {
	const char *name;
	const char *value;
};

enum { HTTP_ANSWER_HEADERS_MAX = 16 };

struct http_answer {
	int status; /* 0: none yet */
	const char *content_type; /* NULL: no body */
	struct buffer body; /* taken over when it is sent */
	struct http_header headers[HTTP_ANSWER_HEADERS_MAX]; /* text in the request's arena, or static */
	size_t header_count;
	bool closes; /* the connection, behind it */
};

/* Everything is borrowed from the request, which lives until its answer was sent. */
struct http_request {
	struct arena *arena;
	const char *method;
	const char *path;  /* as it was sent: nothing is decoded; "*" for OPTIONS * */
	const char *query; /* behind the "?"; NULL: none */
	struct buffer body;
	bool body_too_large; /* what there was of it is dropped */
	bool has_body;
	struct http_answer answer;
	void *userdata; /* the handler's own */
};

struct http_handler {
	/* The head is there. May answer at once. */
	void (*on_head)(void *userdata, struct http_request *request);
	/* All of it is there. Answers, or calls http_request_wait first and sees to it that somebody answers later. */
	void (*on_request)(void *userdata, struct http_request *request);
	/* What a failure of HTTP itself is answered with (400, 413, 431). */
	void (*on_refused)(void *userdata, struct http_request *request, int status, const char *message);
	void *userdata;
};

struct http_options {
	const char *key; /* of the configuration, for messages */
	const struct listen_address *listen;
	unsigned threads;
	unsigned connections_max;
	int64_t client_timeout_ms;
	size_t body_max;
	const char *certificate; /* PEM; NULL: no TLS */
	const char *private_key; /* PEM */
	const struct http_handler *handler; /* copied */
};

enum { HTTP_HEAD_MAX = 16 * 1024, HTTP_DRAIN_MAX = 4 * 1024 * 1024 };

/* Returns 0, or a negative errno after logging. All options are borrowed until then only. */
int http_server_start(const struct http_options *options, struct http_server **out) _must_check_;
uint16_t http_server_port(const struct http_server *server);
/* Cuts off those whose time is over; to be called a few times a second, by one thread. */
void http_server_sweep(struct http_server *server);
unsigned http_server_connections(const struct http_server *server);
/* Requests that are there as a whole, and whose answer is not yet sent. */
unsigned http_server_requests(const struct http_server *server);
/* No new connections; those that there are end with their next answer. */
void http_server_drain(struct http_server *server);
/* No request waits any longer. */
void http_server_stop(struct http_server *server);
DEFINE_CLEANUP(struct http_server, http_server_stop)

/* A header's value as it was sent, or NULL. */
const char *http_request_header(const struct http_request *request, const char *name);
size_t http_request_header_count(const struct http_request *request, const char *name);

/* The answer will come from elsewhere. Before anybody is told who could answer. */
void http_request_wait(struct http_request *request);
/* Any thread, once, after http_request_wait: `answer` is there. The request is not touched by the caller any more. */
void http_request_answered(struct http_request *request);

void http_answer_header(struct http_answer *answer, const char *name, const char *value);
