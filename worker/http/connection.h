/*
 * A connection, on the thread of its loop. Internal to the server.
 *
 *     HANDSHAKE ─► HEAD ────────────► BODY ────────► (complete) ────────────► SENDING ─► HEAD
 *      handshake    │ take_head        │ take_body      │ on_request    ▲       │ send_answer
 *                   │ on_head: already │                ▼               │       ▼ where it closes
 *                   │ answered, or     │             WAITING ───────────┘     LINGER ─► CLOSED
 *                   │ refused          │                                        linger:
 *                   └──────────────────┴──────────────────────► SENDING         drops further bytes
 *
 *     into WAITING: http_request_wait; out of it: http_request_answered, on any thread
 *
 * Every state but WAITING may go to CLOSED: the client ends it, it times out, or it makes room. In
 * WAITING the client's end is noticed with the answer.
 *
 * A body that the handler does not want is read and dropped up to HTTP_DRAIN_MAX, so that a client
 * that reads only after sending gets its answer and keeps its connection.
 */
#pragma once

#include "http/chunked.h"
#include "http/loop.h"

struct http_entry;

enum http_state {
	HTTP_HANDSHAKE,
	HTTP_HEAD,
	HTTP_BODY,
	HTTP_WAITING,
	HTTP_SENDING,
	HTTP_LINGER,
	HTTP_CLOSED
};

struct http_connection {
	struct http_place place;
	struct http_connection *prev, *next; /* in the loop's list of ready connections */
	struct http_connection *next_answered, *next_dead;
	struct http_loop *loop;
	struct http_tls_session *tls; /* NULL: plain text */
	int fd;
	enum http_state state;
	bool readable;  /* there may be more to read */
	bool has_ended; /* the client has ended; only the bytes already read follow */
	bool is_ready;  /* whether it is in that list */
	bool skipped;   /* the empty line before the request was skipped */

	char *input; /* HTTP_HEAD_MAX bytes of unconsumed input, or NULL */
	size_t input_at, input_len;
	size_t scanned; /* the part of the head that was scanned */

	struct http_entry *entry; /* NULL: no request */
	struct http_chunked chunked;
	uint64_t body_left;
	struct buffer out; /* the answer's head, and a small body */
	size_t sent;       /* of `out`, then of the body */
	size_t lingered;   /* bytes */
};

/* Takes ownership of the descriptor. */
struct http_connection *http_connection_new(struct http_loop *loop, int fd,
					    const struct in6_addr *address);
/* Runs until blocked, for one request at most. A connection with more to do is in the loop's
 * list afterwards. */
void http_connection_run(struct http_connection *connection);
/* Continues after http_request_answered. */
void http_connection_resume(struct http_connection *connection);
/* Frees everything but the struct, which the loop frees at the end of the round. Does not wait
 * for an answer. */
void http_connection_close(struct http_connection *connection);
