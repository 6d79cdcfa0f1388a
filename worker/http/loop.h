/* One thread of a server, and the connections that are its own. Internal to the server. */
#pragma once

#include "http/places.h"
#include "http/server.h"

#include <pthread.h>
#include <stdatomic.h>

struct http_connection;

struct http_server {
	struct http_handler handler;
	size_t body_max;
	struct http_tls *tls; /* borrowed; NULL: plain text */
	struct http_loop *loops;
	unsigned loop_count;
	int listen_fd; /* the first loop's; -1: none any more */
	uint16_t port;
	atomic_uint connections, requests, owed;
	atomic_bool draining, stopping;
	bool is_stopped; /* known to who stops it alone */
};

/* A connection that was accepted elsewhere. */
struct http_arrival {
	struct http_arrival *next;
	int fd;
	struct in6_addr address;
};

struct http_loop {
	struct http_server *server;
	pthread_t thread; /* where `has_thread` */
	bool has_thread;
	int epoll_fd, event_fd;
	struct http_places places;
	size_t crowd;                  /* the most connections since memory was given back */
	atomic_uint load;              /* connections, with those on their way */
	int64_t now_ms;                /* monotonic, of this round */
	int64_t accepts_from_ms;       /* 0: at any time */
	unsigned given;                /* connections that the first loop has given to any */
	struct http_connection *ready; /* that have more to do without waiting for anything */
	struct http_connection
	    *dead;         /* freed at the end of the round: events may still name them */
	void *spare_input; /* memory of the last connection that had no more use for it */
	int64_t date_s;
	char date[32];

	pthread_mutex_t lock;
	struct http_arrival *arrivals;    /* guarded by `lock` */
	struct http_connection *answered; /* guarded by `lock` */
};

/* All loops of a server before the first of them starts. A negative errno; also then it is to be
 * joined. */
int http_loop_init(struct http_loop *loop, struct http_server *server,
		   const struct http_options *options) _must_check_;
int http_loop_start(struct http_loop *loop) _must_check_;
/* Any thread. */
void http_loop_wake(struct http_loop *loop);
/* After `stopping` was set. */
void http_loop_join(struct http_loop *loop);

/* The time as a message has it. Source: RFC 9110 section 5.6.7. */
const char *http_loop_date(struct http_loop *loop);
