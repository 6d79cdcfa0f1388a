/* An HTTP receiver for tests, on a loopback address: one of several behaviours, a thread a
 * connection, and a record of what came in. */
#pragma once

#include "delivery_tls_server.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

enum behaviour {
	BEHAVE_ANSWER,               /* `answer`, verbatim, and keep the connection */
	BEHAVE_ANSWER_AND_CLOSE,     /* `answer`, verbatim, then end the connection */
	BEHAVE_ANSWER_AND_RESET,     /* `answer`, verbatim, then reset it */
	BEHAVE_CLOSE_SECOND_REQUEST, /* of each connection: closes it unanswered */
	BEHAVE_RESET_SECOND_REQUEST, /* resets it unanswered */
	BEHAVE_CLOSE_IN_SECOND_BODY, /* closes it when a part of its body has come */
	BEHAVE_HOLD_SECOND_REQUEST,  /* closes it unanswered when released; other connections than
					the first hang */
	BEHAVE_BREAK_SECOND_ANSWER,  /* begins to answer it, then closes */
	BEHAVE_CLOSE_IN_BODY,        /* of any request */
	BEHAVE_CLOSE_AT_ONCE,        /* before anything has come, TLS included */
	BEHAVE_RESET_AT_ONCE,        /* the same, when something has come */
	BEHAVE_SILENT,               /* reads nothing and says nothing, TLS included */
	BEHAVE_GARBAGE_IN_TLS,       /* after the handshake, bytes that are no record */
	BEHAVE_SPEAK_FIRST,          /* `answer`, unasked, then end the connection */
	BEHAVE_HANG,                 /* reads, never answers */
	BEHAVE_HOLD,                 /* reads, answers when released */
	BEHAVE_ENDLESS_BODY,         /* `answer`, then bytes for ever */
	BEHAVE_SLOW_BODY,            /* `answer`, then a byte every 50 ms for ever */
	BEHAVE_ENDLESS_HEADERS,      /* a status line, then header lines for ever */
	BEHAVE_ENDLESS_LINE,         /* a status line, then one header line for ever */
};

struct receiver_options {
	enum behaviour behaviour;
	const char *answer;                   /* NULL: an empty 200 */
	const struct tls_server_options *tls; /* NULL: plain http */
	uint32_t address;                     /* host order; 0: 127.0.0.1 */
	uint16_t port;                        /* 0: any */
};

struct receiver;

struct receiver *receiver_new(const struct receiver_options *options);
/* Ends its connections. */
void receiver_free(struct receiver *receiver);

uint16_t receiver_port(const struct receiver *receiver);
int receiver_connections(struct receiver *receiver); /* accepted so far */
int receiver_requests(struct receiver *receiver);    /* read so far */
int receiver_resumed(struct receiver *receiver);     /* handshakes that resumed a session */
int receiver_held(struct receiver *receiver);        /* waiting to be released */
int receiver_held_max(struct receiver *receiver);    /* the most that ever waited at once */

/* The name that the last handshake asked for; "" where it named nothing. Owned by the caller. */
char *receiver_last_server_name(struct receiver *receiver);

/* The name in the client's certificate of the last handshake; "" without one. Owned by the caller.
 */
char *receiver_last_client_name(struct receiver *receiver);

/* Lets go of those held, and holds no more. */
void receiver_release(struct receiver *receiver);

/* The last request, head and body, as it was on the wire; NUL-terminated, owned by the caller. */
char *receiver_last_request(struct receiver *receiver, size_t *len);

/* A port of 127.0.0.1 without a listener. */
uint16_t receiver_unused_port(void);
/* A port whose listener takes no connections, and whose queue is full. For as long as the process
 * lives. */
uint16_t receiver_full_port(void);
