/*
 * The places of a loop: its connections, their deadlines, and which of them makes room for the
 * next.
 *
 * No time runs in our turn. In the client's turn a connection may be closed at any moment to make
 * room: of the address with the most such connections, the one whose turn has lasted longest. So a
 * client that takes many places takes them from itself, and a load balancer, whose address stands
 * for all clients, needs no higher limit. An IPv6 address counts by its first 64 bits, the share of
 * one client.
 *
 * Not thread-safe.
 */
#pragma once

#include "base/heap.h"

#include <netinet/in.h>

enum http_turn {
	HTTP_TURN_OURS,
	HTTP_TURN_REQUEST, /* the client's, to send a whole request */
	HTTP_TURN_ANSWER,  /* the client's, to read an answer */
	HTTP_TURN_REST,    /* the client's, to send anything: after an answer */
	HTTP_TURN_LINGER,  /* the client's, to end a connection after its last answer */
	HTTP_TURN_COUNT,
};

struct http_address; /* an address with at least one connection */

/* A connection embeds one. */
struct http_place {
	struct http_place *prev, *next; /* of the turn's list, in the order of their deadlines */
	struct http_place *prev_of, *next_of; /* of the address's list; only in the client's turn */
	struct http_address *address;
	int64_t since_ms; /* the beginning of the turn, monotonic */
	enum http_turn turn;
};

struct http_places {
	size_t max, count;
	int64_t timeouts_ms[HTTP_TURN_COUNT]; /* unused for OURS */
	struct http_place *turns[HTTP_TURN_COUNT];
	struct http_address *addresses; /* hash */
	struct heap crowds; /* the address with the most connections in the client's turn first */
};

/* Call when no connection has a place any more. */
void http_places_destroy(struct http_places *places);

/* Adds a connection, even above the maximum; it is in the client's turn. */
void http_places_add(struct http_places *places, struct http_place *place,
		     const struct in6_addr *address, int64_t now_ms);
void http_places_remove(struct http_places *places, struct http_place *place);
/* Begins a turn at `now_ms`, also where it is the same turn again. */
void http_places_set_turn(struct http_places *places, struct http_place *place, enum http_turn turn,
			  int64_t now_ms);

/* A connection past its deadline, or NULL. */
struct http_place *http_places_expired(const struct http_places *places, int64_t now_ms);
/* The next deadline; INT64_MAX: none. */
int64_t http_places_deadline(const struct http_places *places);
/* The connection that must make room, or NULL: all are in our turn. */
struct http_place *http_places_victim(const struct http_places *places);
/* Any connection in the turn, or NULL. */
struct http_place *http_places_any(const struct http_places *places, enum http_turn turn);
