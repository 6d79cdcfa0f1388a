#include "http/accept.h"

#include "base/log.h"
#include "http/drive.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ACCEPTS_MAX = 16, /* at once; their requests are read before further ones are accepted */
	ACCEPT_PAUSE_MS = 100, /* when no descriptor is left */
	UNSENT_MAX = 64 * 1024,
};

/* Closes the connection that must make room. Returns whether there is one. */
static bool make_room(struct http_loop *loop) {
	struct http_place *victim = http_places_victim(&loop->places);

	if (victim)
		http_connection_close(CONTAINER_OF(victim, struct http_connection, place));
	return victim;
}

static void drop_arrival(struct http_loop *loop, int fd) {
	close(fd);
	atomic_fetch_sub(&loop->load, 1);
}

/* Reads the new connection's bytes at once, so that a client with a request does not have to make
 * room first. */
void http_accept_arrival(struct http_loop *loop, int fd, const struct in6_addr *address) {
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	struct http_connection *connection;

	if (atomic_load(&loop->server->stopping) ||
	    (loop->places.count >= loop->places.max && !make_room(loop))) {
		drop_arrival(loop, fd);
		return;
	}
	connection = http_connection_new(loop, fd, address);
	event.data.ptr = connection;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		http_connection_close(connection);
	else
		http_drive(connection);
}

static struct in6_addr address_of(const struct sockaddr_storage *from) {
	struct in6_addr address = { 0 };

	if (from->ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)from)->sin6_addr;
	address.s6_addr[10] = address.s6_addr[11] = 0xff;
	memcpy(address.s6_addr + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	return address;
}

/* Of equally loaded loops takes the next one, so that making room for others is spread over them
 * too. */
static struct http_loop *least_loaded(struct http_loop *loop) {
	struct http_server *server = loop->server;
	unsigned first = loop->given++;
	struct http_loop *found = &server->loops[first % server->loop_count];

	for (unsigned i = 1; i < server->loop_count; i++) {
		struct http_loop *other = &server->loops[(first + i) % server->loop_count];

		if (atomic_load(&other->load) < atomic_load(&found->load))
			found = other;
	}
	return found;
}

/* Keeps the kernel's share of an unread answer small as well. */
static void set_socket(int fd) {
	int on = 1, unsent_max = UNSENT_MAX;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max, sizeof(unsent_max));
}

static void give_away(struct http_loop *loop, int fd, const struct in6_addr *address) {
	struct http_loop *to = least_loaded(loop);

	set_socket(fd);
	atomic_fetch_add(&to->load, 1);
	if (to == loop)
		http_accept_arrival(loop, fd, address);
	else
		http_inbox_put_arrival(&to->inbox, fd, address);
}

static void watch_listener(struct http_loop *loop, uint32_t events) {
	struct epoll_event event = { .events = events, .data.ptr = loop };

	if (loop->server->listen_fd >= 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, loop->server->listen_fd, &event);
}

/* Without a descriptor for the next connection, one makes room, or all would wait. */
static void pause_accepting(struct http_loop *loop, int error) {
	if (make_room(loop))
		return;
	log_warn("accepting connections is paused", "error=%s", log_quote(strerror(error)));
	loop->accepts_from_ms = loop->now_ms + ACCEPT_PAUSE_MS;
	watch_listener(loop, 0);
}

void http_accept_resume(struct http_loop *loop) {
	loop->accepts_from_ms = 0;
	watch_listener(loop, EPOLLIN);
}

void http_accept_connections(struct http_loop *loop) {
	for (int i = 0; i < ACCEPTS_MAX && loop->server->listen_fd >= 0; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(loop->server->listen_fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct in6_addr address;

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				pause_accepting(loop, errno);
			return;
		}
		address = address_of(&from);
		give_away(loop, fd, &address);
	}
}

void http_accept_stop(struct http_loop *loop) {
	struct http_server *server = loop->server;

	if (loop != &server->loops[0] || server->listen_fd < 0)
		return;
	close(server->listen_fd);
	server->listen_fd = -1;
}
