/*
 * A connection, on the thread of its loop: its state, its beginning and its end. Internal to the
 * server.
 *
 *     HANDSHAKE ──► HEAD ──► BODY ──► WAITING ──► SENDING ──► HEAD, for the next request
 *                    │         │                   ▲   │
 *                    └─────────┴───────────────────┘   └────► LINGER ──► CLOSED
 *
 *     HANDSHAKE ─► HEAD     the TLS handshake is done (drive.c); plain text begins here
 *     HEAD ─► BODY          the head is whole, and has a body (http_receive_head)
 *     HEAD, BODY ─► WAITING the request is whole, and on_request called http_request_wait
 *     HEAD, BODY ─► SENDING the request is whole and answered, or refused (http_send_begin)
 *     WAITING ─► SENDING    http_request_answered was called, by any thread (http_drive_answered)
 *     SENDING ─► HEAD       the answer was sent (http_send_step)
 *     SENDING ─► LINGER     the answer was sent, and the connection ends with it
 *     LINGER ─► CLOSED      the client has ended, too; what it still sends is dropped
 *
 * Every state but WAITING may go to CLOSED (http_connection_close): the client ends it, it times
 * out, or it makes room. In WAITING the client's end is noticed with the answer.
 *
 * A body that the handler does not want is read and dropped up to HTTP_DRAIN_MAX, so that a client
 * that reads only after sending gets its answer and keeps its connection.
 */
#pragma once

#include "http/chunked.h"
#include "http/server_state.h"
#include "http/stream.h"

enum http_state {
	HTTP_HANDSHAKE,
	HTTP_HEAD,
	HTTP_BODY,
	HTTP_WAITING,
	HTTP_SENDING,
	HTTP_LINGER,
	HTTP_CLOSED
};

/* The result of a step: BLOCKED waits for an event, AGAIN may go on at once, YIELD may go on at
 * once and lets other connections go first. */
enum http_progress { HTTP_BLOCKED, HTTP_AGAIN, HTTP_YIELD };

/* A request inside the server. Everything lives in the request's arena. */
struct http_entry {
	struct http_request request; /* first: pointers to it are pointers to the entry */
	struct http_connection *connection;
	struct http_head head;
	size_t dropped; /* bytes of a dropped body */
	bool is_owed;
	bool waits;
};

struct http_connection {
	struct http_place place;
	struct http_connection *prev, *next; /* in the loop's list of ready connections */
	struct http_connection *next_dead;
	struct http_answered answered; /* in the loop's inbox */
	struct http_loop *loop;
	struct http_stream stream;
	enum http_state state;
	bool is_ready; /* whether it is in that list */

	bool skipped;             /* the empty line before the request was skipped */
	size_t scanned;           /* the part of the head that was scanned */
	struct http_entry *entry; /* NULL: no request */
	struct http_chunked chunked;
	uint64_t body_left;

	struct buffer out; /* the answer's head, and a small body */
	size_t sent;       /* bytes of `out`, then of the body */
	size_t lingered;   /* bytes */
};

/* Takes ownership of the descriptor. */
struct http_connection *http_connection_new(struct http_loop *loop, int fd,
					    const struct in6_addr *address);
/* Frees everything but the struct, which the loop frees at the end of the round. Does not wait for
 * an answer. */
void http_connection_close(struct http_connection *connection);

void http_connection_set_phase(struct http_connection *connection, enum http_phase phase);
const struct http_handler *http_connection_handler(const struct http_connection *connection);

/* Begins an empty request. It ends with its answer, or with the connection. */
struct http_entry *http_connection_begin_request(struct http_connection *connection);
void http_connection_end_request(struct http_connection *connection);
