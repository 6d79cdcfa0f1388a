/* An HTTP receiver for tests, on 127.0.0.1: one of several behaviours, a thread a connection, and a record of what came in. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum behaviour {
	BEHAVE_ANSWER,               /* `answer`, verbatim, and keep the connection */
	BEHAVE_ANSWER_AND_CLOSE,     /* `answer`, verbatim, then end the connection */
	BEHAVE_ANSWER_AND_RESET,     /* `answer`, verbatim, then reset it */
	BEHAVE_CLOSE_SECOND_REQUEST, /* of each connection: closes it unanswered */
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
	const char *answer; /* NULL: an empty 200 */
};

struct receiver;

struct receiver *receiver_new(const struct receiver_options *options);
/* Ends its connections. */
void receiver_free(struct receiver *receiver);

uint16_t receiver_port(const struct receiver *receiver);
int receiver_connections(struct receiver *receiver); /* accepted so far */
int receiver_requests(struct receiver *receiver);    /* read so far */
int receiver_held(struct receiver *receiver);        /* waiting to be released */
int receiver_held_max(struct receiver *receiver);    /* the most that ever waited at once */

/* Lets go of those held, and holds no more. */
void receiver_release(struct receiver *receiver);

/* The last request, head and body, as it was on the wire; NUL-terminated, owned by the caller. */
char *receiver_last_request(struct receiver *receiver, size_t *len);

/* A port of 127.0.0.1 where nobody listens. */
uint16_t receiver_unused_port(void);
