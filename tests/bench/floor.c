/*
 * The floor: what sending signed callbacks costs a program that does nothing else. One epoll loop,
 * kept-alive connections, one request in flight on each, bytes and signatures by request.h. OpenSSL
 * directly where it is TLS.
 *
 *     bench_floor [--deliveries N] [--warm-up N] [--hosts N] [--connections N] [--bytes N]
 *                 [--authorities FILE] [--port N]...
 *
 * Prints its CPU time per delivery, of all that come after the warm-up, its peak memory, and its
 * key's public part. The warm-up is each connection's first, or more.
 */
#include "request.h"
#include "sender.h"
#include "stream.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <time.h>

enum { EVENTS = 512, ANSWER_MAX = 256 };

struct connection {
	struct stream stream;
	uint16_t port;
	char host[64], authority[80];
	char answer[ANSWER_MAX];
	size_t answer_len;
};

struct floor {
	struct sender sender;
	struct request_key key;
	struct ssl_ctx_st *context;
	int epoll_fd;
	size_t body_len, sent, ended, total;
};

static void open_connection(struct floor *f, struct connection *connection) {
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };

	stream_connect(&connection->stream, connection->port, f->context, connection->host);
	if (epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, connection->stream.fd, &event))
		die("epoll_ctl");
}

static struct request request_of(const struct floor *f, const struct connection *connection) {
	return (struct request){ .key = &f->key,
				 .authority = connection->authority,
				 .path = "/hook",
				 .body_len = f->body_len };
}

static void send_next(struct floor *f, struct connection *connection) {
	static char bytes[REQUEST_MAX];
	struct request request = request_of(f, connection);
	struct timespec now;

	if (f->sent == f->total)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	request.timestamp_s = now.tv_sec;
	request.number = f->sent++;
	stream_send(&connection->stream, bytes, request_write(&request, bytes));
}

/* An answer is a head without a body. */
static bool is_whole(const struct connection *connection) {
	return connection->answer_len >= 4 &&
	       memcmp(connection->answer + connection->answer_len - 4, "\r\n\r\n", 4) == 0;
}

static void take_answer(struct floor *f, struct connection *connection) {
	static const char ok[] = "HTTP/1.1 200 ";

	if (memcmp(connection->answer, ok, sizeof(ok) - 1) != 0) {
		fprintf(stderr, "not answered with 200: %.*s\n", (int)connection->answer_len,
			connection->answer);
		exit(1);
	}
	f->ended++;
	if (memmem(connection->answer, connection->answer_len, "connection: close", 17)) {
		stream_close(&connection->stream);
		open_connection(f, connection);
	}
	connection->answer_len = 0;
	send_next(f, connection);
}

static void receive(struct floor *f, struct connection *connection) {
	size_t room = ANSWER_MAX - connection->answer_len;
	ssize_t len =
	    stream_receive(&connection->stream, connection->answer + connection->answer_len, room);

	if (len < 0 && errno == EAGAIN)
		return;
	if (len <= 0)
		die("the receiver hung up");
	connection->answer_len += (size_t)len;
	if (is_whole(connection))
		take_answer(f, connection);
	else if (connection->answer_len == ANSWER_MAX)
		die("an answer that is too long");
}

static void deliver(struct floor *f, struct connection *connections, size_t count, size_t total) {
	struct epoll_event events[EVENTS];

	f->sent = f->ended = 0;
	f->total = total;
	for (size_t i = 0; i < count; i++)
		send_next(f, &connections[i]);
	while (f->ended < total) {
		int ready = epoll_wait(f->epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < ready; i++)
			receive(f, events[i].data.ptr);
	}
}

static struct connection *open_connections(struct floor *f, size_t count) {
	struct connection *connections = calloc(count, sizeof(*connections));

	if (!connections)
		die("calloc");
	for (size_t i = 0; i < count; i++) {
		struct connection *connection = &connections[i];

		connection->port = sender_port(&f->sender, i % f->sender.hosts);
		sender_host(i % f->sender.hosts, connection->host);
		snprintf(connection->authority, sizeof(connection->authority), "%s:%u",
			 connection->host, connection->port);
		open_connection(f, connection);
	}
	return connections;
}

int main(int argc, char **argv) {
	static const uint8_t seed[32] = { 1 };
	static struct floor f;
	struct connection *connections;
	struct request first;
	size_t count;
	double cpu_us;
	int64_t began_us;

	f.sender = sender_from_arguments(argc, argv);
	f.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (sodium_init() < 0 || f.epoll_fd < 0)
		die("start");
	f.context = f.sender.authorities ? stream_client_context(f.sender.authorities) : NULL;
	f.body_len = SENDER_BODY_LEN;
	request_key_init(&f.key, seed);
	count = f.sender.hosts * f.sender.connections;
	connections = open_connections(&f, count);
	first = request_of(&f, connections);
	first.timestamp_s = time(NULL);
	if (f.sender.bytes)
		f.body_len = request_body_len(&first, f.sender.bytes);
	deliver(&f, connections, count, MAX(count, f.sender.warm_up));
	cpu_us = sender_cpu_us();
	began_us = sender_now_us();
	deliver(&f, connections, count, f.sender.deliveries);
	sender_report(&f.sender, cpu_us, began_us);
	printf("public_key %s\n", f.key.x);
	free(connections);
	return 0;
}
