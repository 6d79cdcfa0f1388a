/*
 * What curl waits for, told to epoll as seldom as possible.
 *
 * A kept connection alternates between "wait for the answer" and "idle". For the sockets that are
 * ours, opened and closed through our own callbacks, a registration is therefore only extended at
 * once and narrowed when an event arrives that nobody wants. The others, the resolver's, are closed
 * behind our back: for them epoll follows eagerly.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket_state;

struct sockets {
	int epoll_fd;
	int open;                    /* how many of ours */
	atomic_int *connections;     /* the same of all threads, borrowed */
	struct socket_state *states; /* by descriptor */
	size_t count;
};

/* Returns 0 or a negative errno. */
int sockets_init(struct sockets *sockets, atomic_int *connections)
    __attribute__((warn_unused_result));
void sockets_destroy(struct sockets *sockets);

/* A socket of ours was opened, or is about to be closed. */
void sockets_opened(struct sockets *sockets, int fd);
void sockets_closing(struct sockets *sockets, int fd);

/* A descriptor of the thread's own, for which epoll says EPOLLIN. Returns 0 or a negative errno. */
int sockets_watch(struct sockets *sockets, int fd) __attribute__((warn_unused_result));

/* curl's shard `shard` wants `events` (EPOLLIN | EPOLLOUT; 0: nothing) of a socket. */
void sockets_want(struct sockets *sockets, int fd, uint8_t shard, uint32_t events);

/*
 * An event arrived: which of the wanted ones happened, 0 for none, and to whom to tell it. A kept
 * connection on which something comes unasked is ended: be it an end or an answer to nothing, it
 * must not be taken for the answer to the next request.
 */
uint32_t sockets_happened(struct sockets *sockets, int fd, uint32_t events, uint8_t *shard);
