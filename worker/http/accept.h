/*
 * How connections come to their loops: the first loop accepts, and gives each to the loop that has
 * the fewest. Where no place or no descriptor is left, a connection makes room (places.h). Internal
 * to the server.
 */
#pragma once

#include "http/server_state.h"

/* On the first loop's thread: the listening socket may have connections. */
void http_accept_connections(struct http_loop *loop);
/* Takes a connection that was accepted and given to this loop. */
void http_accept_arrival(struct http_loop *loop, int fd, const struct in6_addr *address);
/* Accepts again, after a pause that has ended. */
void http_accept_resume(struct http_loop *loop);
/* No new connections; the first loop's alone. */
void http_accept_stop(struct http_loop *loop);
