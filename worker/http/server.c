#include "http/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static int resolve(const struct http_options *options, struct addrinfo **out) {
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", options->listen->port);
	error = getaddrinfo(options->listen->host, port, &hints, out);
	if (!error)
		return 0;
	log_error("cannot resolve the address to listen on", "key=%s host=%s error=%s",
		  options->key, log_quote(options->listen->host), log_quote(gai_strerror(error)));
	return -EADDRNOTAVAIL;
}

static int listen_on(int fd, const struct addrinfo *address) {
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (address->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return 0;
}

static uint16_t port_of(int fd) {
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return 0;
	/* Both address families have the port at the same place. */
	return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

static int open_listener(struct http_server *server, const struct http_options *options) {
	struct addrinfo *address;
	int r;

	if (resolve(options, &address) < 0)
		return -EADDRNOTAVAIL;
	server->listen_fd =
	    socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = server->listen_fd < 0 ? -errno : listen_on(server->listen_fd, address);
	freeaddrinfo(address);
	if (r < 0) {
		log_error("cannot listen", "key=%s host=%s port=%u error=%s", options->key,
			  log_quote(options->listen->host), options->listen->port,
			  log_quote(strerror(-r)));
		return r;
	}
	server->port = port_of(server->listen_fd);
	return 0;
}

static void join_loops(struct http_server *server) {
	atomic_store(&server->stopping, true);
	for (unsigned i = 0; i < server->loop_count; i++)
		http_loop_join(&server->loops[i]);
}

/* Starts the first loop last, since it accepts for all of them. */
static int start_so_many(struct http_server *server, const struct http_options *options,
			 unsigned count) {
	int r = 0;

	atomic_store(&server->stopping, false);
	server->loop_count = count;
	server->loops = x_calloc(count, sizeof(*server->loops));
	for (unsigned i = 0; i < count && !r; i++)
		r = http_loop_init(&server->loops[i], server, options);
	for (unsigned i = count; i > 0 && !r; i--)
		r = http_loop_start(&server->loops[i - 1]);
	return r;
}

/* Where threads or descriptors do not suffice, tries again with half as many loops. */
static int start_loops(struct http_server *server, const struct http_options *options) {
	unsigned count = MAX(1U, MIN(options->threads, options->connections_max));
	int r;

	while ((r = start_so_many(server, options, count)) && count > 1) {
		log_warn("cannot start all HTTP threads: trying fewer",
			 "key=%s threads=%u error=%s", options->key, count,
			 log_quote(strerror(-r)));
		join_loops(server);
		free(TAKE(server->loops));
		count /= 2;
	}
	if (r)
		log_error("cannot start an HTTP thread", "key=%s error=%s", options->key,
			  log_quote(strerror(-r)));
	return r;
}

int http_server_start(const struct http_options *options, struct http_server **out) {
	_cleanup_(http_server_freep) struct http_server *server = x_calloc(1, sizeof(*server));
	int r;

	server->handler = *options->handler;
	server->body_max = options->body_max;
	server->listen_fd = -1;
	server->tls = options->tls;
	r = open_listener(server, options);
	if (!r)
		r = start_loops(server, options);
	if (r)
		return r;
	*out = TAKE(server);
	return 0;
}

uint16_t http_server_port(const struct http_server *server) {
	return server->port;
}

unsigned http_server_connections(const struct http_server *server) {
	return atomic_load(&server->connections);
}

unsigned http_server_requests(const struct http_server *server) {
	return atomic_load(&server->requests);
}

unsigned http_server_owed(const struct http_server *server) {
	return atomic_load(&server->owed);
}

bool http_server_is_stuck(const struct http_server *server, int64_t limit_ms) {
	for (unsigned i = 0; i < server->loop_count; i++) {
		int64_t since_ms =
		    atomic_load_explicit(&server->loops[i].busy_since_ms, memory_order_relaxed);

		if (since_ms && clock_monotonic_ms() - since_ms > limit_ms)
			return true;
	}
	return false;
}

void http_server_drain(struct http_server *server) {
	atomic_store(&server->draining, true);
	http_inbox_wake(&server->loops[0].inbox);
}

void http_server_stop(struct http_server *server) {
	if (server->is_stopped)
		return;
	server->is_stopped = true;
	join_loops(server);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
}

void http_server_free(struct http_server *server) {
	if (!server)
		return;
	http_server_stop(server);
	free(server->loops);
	free(server);
}
