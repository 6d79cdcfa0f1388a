#include "delivery/sockets.h"

#include "base/log.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct socket_state {
	uint8_t registered; /* with epoll */
	uint8_t wanted;     /* by curl */
	uint8_t shard;
	bool ours;
};

_Static_assert((EPOLLIN | EPOLLOUT) < 256, "the events fit into a byte");

int sockets_init(struct sockets *sockets, atomic_int *connections) {
	*sockets = (struct sockets){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
				     .connections = connections };
	return sockets->epoll_fd < 0 ? -errno : 0;
}

void sockets_destroy(struct sockets *sockets) {
	if (sockets->epoll_fd >= 0)
		close(sockets->epoll_fd);
	free(sockets->states);
}

static struct socket_state *state_of(struct sockets *sockets, int fd) {
	size_t index = (size_t)fd;

	if (index >= sockets->count) {
		size_t count = MAX(index + 1, sockets->count * 2);

		sockets->states = x_realloc(sockets->states, count * sizeof(*sockets->states));
		memset(sockets->states + sockets->count, 0,
		       (count - sockets->count) * sizeof(*sockets->states));
		sockets->count = count;
	}
	return &sockets->states[index];
}

static void register_events(struct sockets *sockets, int fd, struct socket_state *state,
			    uint8_t events) {
	struct epoll_event event = { .events = events, .data.fd = fd };
	int operation = !events ? EPOLL_CTL_DEL : state->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (events == state->registered)
		return;
	/* A descriptor that was closed without a callback has left epoll by itself. */
	if (epoll_ctl(sockets->epoll_fd, operation, fd, &event) && errno == ENOENT && events &&
	    epoll_ctl(sockets->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		log_error("epoll refused a socket", "fd=%d errno=%d", fd, errno);
	state->registered = events;
}

void sockets_opened(struct sockets *sockets, int fd) {
	*state_of(sockets, fd) = (struct socket_state){ .ours = true };
	sockets->open++;
	atomic_fetch_add_explicit(sockets->connections, 1, memory_order_relaxed);
}

/* Closing takes the socket out of epoll, since no copy of it exists. */
void sockets_closing(struct sockets *sockets, int fd) {
	*state_of(sockets, fd) = (struct socket_state){ 0 };
	sockets->open--;
	atomic_fetch_sub_explicit(sockets->connections, 1, memory_order_relaxed);
}

int sockets_watch(struct sockets *sockets, int fd) {
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(sockets->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void sockets_want(struct sockets *sockets, int fd, uint8_t shard, uint32_t events) {
	struct socket_state *state = state_of(sockets, fd);

	state->wanted = (uint8_t)events;
	state->shard = shard;
	if (!state->ours || (state->wanted & ~state->registered))
		register_events(sockets, fd, state, state->wanted);
}

uint32_t sockets_happened(struct sockets *sockets, int fd, uint32_t events, uint8_t *shard) {
	struct socket_state *state = state_of(sockets, fd);
	uint32_t happened = events & state->wanted;

	*shard = state->shard;
	if (events & (EPOLLERR | EPOLLHUP))
		happened = state->wanted;
	/* EPOLLOUT alone is no event of the peer: it may be left from a registration that was not
	 * narrowed yet. */
	if (!state->wanted && state->ours && events != EPOLLOUT)
		shutdown(fd, SHUT_RDWR);
	if (!happened)
		register_events(sockets, fd, state, state->wanted);
	return happened;
}
