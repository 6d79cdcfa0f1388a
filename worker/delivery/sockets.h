/*
 * Registers with epoll the events that curl waits for, with as few system calls as possible.
 *
 * A kept connection alternates between waiting for an answer and being idle. The connections are
 * opened and closed through callbacks of this folder; for them a registration is extended at once,
 * and narrowed only when an event arrives that curl does not want. The resolver's sockets are
 * closed without a callback; for them every change is registered at once.
 */
#pragma once

#include "base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket_state;

struct sockets {
	int epoll_fd;
	int open;                    /* connections of this thread */
	atomic_int *connections;     /* of all threads; borrowed */
	struct socket_state *states; /* by descriptor */
	size_t count;
};

/* Returns 0 or a negative errno. */
int sockets_init(struct sockets *sockets, atomic_int *connections) _must_check_;
void sockets_destroy(struct sockets *sockets);

/* A connection's socket was opened, or is about to be closed. */
void sockets_opened(struct sockets *sockets, int fd);
void sockets_closing(struct sockets *sockets, int fd);

/* Registers EPOLLIN of a descriptor that is not curl's. Returns 0 or a negative errno. */
int sockets_watch(struct sockets *sockets, int fd) _must_check_;

/* The shard wants `events` (EPOLLIN | EPOLLOUT; 0: none) of a socket. */
void sockets_want(struct sockets *sockets, int fd, uint8_t shard, uint32_t events);

/*
 * Events arrived for a socket. Returns those that its shard wants, or 0, and the shard. An idle
 * connection on which something arrives is shut down: its bytes must not be taken for the answer to
 * the next request.
 */
uint32_t sockets_happened(struct sockets *sockets, int fd, uint32_t events, uint8_t *shard);
