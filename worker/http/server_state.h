/* The memory of a server and of its loops. Internal to the server. */
#pragma once

#include "http/date.h"
#include "http/inbox.h"
#include "http/options.h"
#include "http/places.h"

#include <stdatomic.h>

struct http_connection;

struct http_server {
	struct http_handler handler;
	size_t body_max;
	struct http_tls *tls; /* borrowed; NULL: plain text */
	struct http_loop *loops;
	unsigned loop_count;
	int listen_fd; /* accepted by the first loop; -1: closed */
	uint16_t port;
	atomic_uint connections, requests, owed;
	atomic_bool draining, stopping;
	bool is_stopped; /* used only by the thread that stops the server */
};

/* One thread, with its own connections. */
struct http_loop {
	struct http_server *server;
	pthread_t thread; /* valid where `has_thread` */
	bool has_thread;
	int epoll_fd;
	struct http_inbox inbox;
	struct http_places places;
	size_t crowd;                  /* the most connections since memory was returned */
	atomic_uint load;              /* connections, including those in the inbox */
	int64_t now_ms;                /* monotonic, of this round */
	_Atomic int64_t busy_since_ms; /* the same for other threads; 0: it waits */
	int64_t accepts_from_ms;       /* 0: at any time */
	unsigned given;                /* connections that the first loop has distributed */
	struct http_connection *ready; /* those that can go on without an event */
	struct http_connection
	    *dead;         /* freed at the end of the round: events may still point to them */
	void *spare_input; /* the input buffer of the last connection that released one */
	struct http_date date;
};
