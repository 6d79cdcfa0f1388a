/*
 * A connection, on the thread of its loop. Internal to the server.
 *
 *      HANDSHAKE ──► HEAD ──────────────► BODY ──────────► (whole) ─────────────► SENDING ──► HEAD,
 * the next request handshake      │ take_head           │ take_body        │ on_request   ▲       │
 * send_answer │ on_head: answered,  │                  ▼              │       ▼ where it closes │
 * or refused          │               WAITING ──────────┘     LINGER ──► CLOSED
 *                     └─────────────────────┴──────────────────────────────► SENDING    │ linger
 *                                                          http_request_wait,           └ what
 * still comes is dropped http_request_answered (any thread)
 *
 * From every state but WAITING it may go to CLOSED: the client ends it, its time is over, or it
 * makes room. In WAITING the client's end is seen with the answer.
 *
 * A body that nobody wants is read up to HTTP_DRAIN_MAX, so that a client that sends first and
 * reads then gets its answer and keeps its connection.
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
	struct http_connection *prev, *next; /* in the loop's list of those that are ready */
	struct http_connection *next_answered, *next_dead;
	struct http_loop *loop;
	struct http_tls_session *tls; /* NULL: plain text */
	int fd;
	enum http_state state;
	bool readable;  /* there may be more to read */
	bool has_ended; /* the client sends no more than is there */
	bool is_ready;  /* in that list */
	bool skipped;   /* an empty line before the request */

	char *input; /* HTTP_HEAD_MAX bytes, or NULL: what was read and not yet taken */
	size_t input_at, input_len;
	size_t scanned; /* of the head */

	struct http_entry *entry; /* NULL: no request */
	struct http_chunked chunked;
	uint64_t body_left;
	struct buffer out; /* the answer's head, and a small body */
	size_t sent;       /* of `out`, then of the body */
	size_t lingered;   /* bytes */
};

/* Takes the descriptor. */
struct http_connection *http_connection_new(struct http_loop *loop, int fd,
					    const struct in6_addr *address);
/* Goes on as far as it can, for one request at most; where there is more to do it is in the loop's
 * list afterwards. */
void http_connection_run(struct http_connection *connection);
/* Its request was answered by somebody. */
void http_connection_resume(struct http_connection *connection);
/* Frees all but itself, which the loop does at the end of the round. It does not wait for an
 * answer. */
void http_connection_close(struct http_connection *connection);
