/* One thread of a server, with its own connections. Internal to the server. */
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
	int listen_fd; /* accepted by the first loop; -1: closed */
	uint16_t port;
	atomic_uint connections, requests, owed;
	atomic_bool draining, stopping;
	bool is_stopped; /* used only by the thread that stops the server */
};

/* A connection that another loop accepted. */
struct http_arrival {
	struct http_arrival *next;
	int fd;
	struct in6_addr address;
};

struct http_loop {
	struct http_server *server;
	pthread_t thread; /* valid where `has_thread` */
	bool has_thread;
	int epoll_fd, event_fd;
	struct http_places places;
	size_t crowd;                  /* the most connections since memory was returned */
	atomic_uint load;              /* connections, including those in the inbox */
	int64_t now_ms;                /* monotonic, of this round */
	int64_t accepts_from_ms;       /* 0: at any time */
	unsigned given;                /* connections that the first loop has distributed */
	struct http_connection *ready; /* those that can go on without an event */
	struct http_connection
	    *dead;         /* freed at the end of the round: events may still point to them */
	void *spare_input; /* the input buffer of the last connection that released one */
	int64_t date_s;
	char date[32];

	pthread_mutex_t lock;
	struct http_arrival *arrivals;    /* guarded by `lock` */
	struct http_connection *answered; /* guarded by `lock` */
};

/* Initialises a loop; call for all loops before the first one starts. Returns 0 or a negative
 * errno. Join it in either case. */
int http_loop_init(struct http_loop *loop, struct http_server *server,
		   const struct http_options *options) _must_check_;
int http_loop_start(struct http_loop *loop) _must_check_;
/* On any thread. */
void http_loop_wake(struct http_loop *loop);
/* Waits for the thread; call after `stopping` is set. */
void http_loop_join(struct http_loop *loop);

/* The current time as an HTTP date. Source: RFC 9110 section 5.6.7. */
const char *http_loop_date(struct http_loop *loop);
