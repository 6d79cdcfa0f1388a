/*
 * The places of a loop: which connections there are, until when each must have brought or taken
 * something, and who makes room for the next.
 *
 * No time runs while it is our turn. While it is the client's, a connection may be shut at any
 * moment to make room: of the address that has the most of them the one whose turn has lasted
 * longest. So whoever takes many places takes them from itself, and there is no limit that would be
 * too low for a load balancer, whose address is everybody's. An IPv6 address counts by its first 64
 * bits, which is what a client is given.
 *
 * Not safe for use by several threads at once.
 */
#pragma once

#include "base/heap.h"

#include <netinet/in.h>

enum http_turn {
	HTTP_TURN_OURS,
	HTTP_TURN_REQUEST, /* the client's, to bring a whole request */
	HTTP_TURN_ANSWER,  /* the client's, to take an answer */
	HTTP_TURN_REST,    /* the client's, to bring anything: behind an answer */
	HTTP_TURN_LINGER,  /* the client's, to end a connection that has no further answer */
	HTTP_TURN_COUNT,
};

struct http_address; /* of which at least one connection is there */

/* A connection embeds one. */
struct http_place {
	struct http_place *prev, *next; /* by turn, in the order of their deadlines */
	struct http_place *prev_of,
	    *next_of; /* of the address; only where it is the client's turn */
	struct http_address *address;
	int64_t since_ms; /* the turn's beginning, monotonic */
	enum http_turn turn;
};

struct http_places {
	size_t max, count;
	int64_t timeouts_ms[HTTP_TURN_COUNT]; /* that of OURS is not used */
	struct http_place *turns[HTTP_TURN_COUNT];
	struct http_address *addresses; /* hash */
	struct heap crowds;             /* the address with the most in the client's turn first */
};

/* Nothing has a place any more. */
void http_places_destroy(struct http_places *places);

/* Takes a place, whether or not there is one left; it is the client's turn. */
void http_places_add(struct http_places *places, struct http_place *place,
		     const struct in6_addr *address, int64_t now_ms);
void http_places_remove(struct http_places *places, struct http_place *place);
/* The turn begins at `now_ms`, also where it is the same one. */
void http_places_set_turn(struct http_places *places, struct http_place *place, enum http_turn turn,
			  int64_t now_ms);

/* One whose time is over, or NULL. */
struct http_place *http_places_expired(const struct http_places *places, int64_t now_ms);
/* When the next one's time is over; INT64_MAX: no time runs. */
int64_t http_places_deadline(const struct http_places *places);
/* The one that is to make room, or NULL: it is our turn in all of them. */
struct http_place *http_places_victim(const struct http_places *places);
/* Any one, or NULL. */
struct http_place *http_places_any(const struct http_places *places, enum http_turn turn);
