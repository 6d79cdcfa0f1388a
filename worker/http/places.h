/*
 * The places of a loop: its connections, their deadlines, and which of them makes room for the
 * next.
 *
 * In the phase SERVER no time runs. In every other phase the server waits for the client, and may
 * close the connection at any moment to make room: of the address with the most waiting
 * connections, the one that has waited longest. So a client that takes many places takes them from
 * itself, and a load balancer, whose address stands for all clients, needs no higher limit. An IPv6
 * address counts by its first 64 bits, the share of one client.
 *
 * Not thread-safe.
 */
#pragma once

#include "base/heap.h"

#include <netinet/in.h>

/* The phase of a connection. All but SERVER wait for the client. */
enum http_phase {
	HTTP_PHASE_SERVER,  /* the server works; no time runs */
	HTTP_PHASE_REQUEST, /* a whole request */
	HTTP_PHASE_ANSWER,  /* the reading of an answer */
	HTTP_PHASE_IDLE,    /* any byte, after an answer */
	HTTP_PHASE_LINGER,  /* the client's end, after the last answer */
	HTTP_PHASE_COUNT,
};

struct http_address; /* an address with at least one connection */

/* A connection embeds one. */
struct http_place {
	struct http_place *prev, *next; /* of the phase's list, in the order of their deadlines */
	struct http_place *prev_of, *next_of; /* of the address's list; not in SERVER */
	struct http_address *address;
	int64_t since_ms; /* the beginning of the phase, monotonic */
	enum http_phase phase;
};

struct http_places {
	size_t max, count;
	int64_t timeouts_ms[HTTP_PHASE_COUNT]; /* unused for SERVER */
	struct http_place *lists[HTTP_PHASE_COUNT];
	struct http_address *addresses; /* hash */
	struct heap crowds;             /* the address with the most waiting connections first */
};

/* Call when no connection has a place any more. */
void http_places_destroy(struct http_places *places);

/* Adds a connection, even above the maximum, in the phase REQUEST. */
void http_places_add(struct http_places *places, struct http_place *place,
		     const struct in6_addr *address, int64_t now_ms);
void http_places_remove(struct http_places *places, struct http_place *place);
/* Begins a phase at `now_ms`, also where it is the same phase again. */
void http_places_set_phase(struct http_places *places, struct http_place *place,
			   enum http_phase phase, int64_t now_ms);

/* A connection past its deadline, or NULL. */
struct http_place *http_places_expired(const struct http_places *places, int64_t now_ms);
/* The next deadline; INT64_MAX: none. */
int64_t http_places_deadline(const struct http_places *places);
/* The connection that must make room, or NULL: all are in SERVER. */
struct http_place *http_places_victim(const struct http_places *places);
/* Any connection in the phase, or NULL. */
struct http_place *http_places_any(const struct http_places *places, enum http_phase phase);
