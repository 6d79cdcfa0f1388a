/*
 * The inbox of a loop: connections that another thread accepted, and answers that another thread
 * gave. Any thread puts; the loop's thread takes.
 */
#pragma once

#include "base/memory.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>

/* An accepted connection. */
struct http_arrival {
	struct http_arrival *next;
	int fd; /* owned */
	struct in6_addr address;
};

/* Embedded in a connection: its waiting request has its answer. */
struct http_answered {
	struct http_answered *next;
};

struct http_inbox {
	int event_fd; /* readable while something was put, or http_inbox_wake was called */
	pthread_mutex_t lock;
	struct http_arrival *arrivals;  /* guarded by `lock` */
	struct http_answered *answered; /* guarded by `lock` */
};

/* Returns 0, or a negative errno. Destroy the inbox in either case. */
int http_inbox_init(struct http_inbox *inbox) _must_check_;
/* Closes the connections that were never taken. */
void http_inbox_destroy(struct http_inbox *inbox);

void http_inbox_wake(struct http_inbox *inbox);
/* Takes the descriptor. */
void http_inbox_put_arrival(struct http_inbox *inbox, int fd, const struct in6_addr *address);
void http_inbox_put_answered(struct http_inbox *inbox, struct http_answered *answered);

/* Empties the inbox. The arrivals belong to the caller, who frees each; both lists may be NULL. */
void http_inbox_take(struct http_inbox *inbox, struct http_arrival **arrivals,
		     struct http_answered **answered);
