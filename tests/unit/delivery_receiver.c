#include "delivery_receiver.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, REQUEST_MAX = 512 * 1024 };

struct connection {
	struct receiver *receiver;
	int fd;
	pthread_t thread;
};

struct receiver {
	struct receiver_options options;
	int fd;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t released;
	bool holding, stopping;
	int held, held_max, requests, connection_count;
	struct connection connections[CONNECTIONS_MAX];
	char *last_request;
	size_t last_request_len;
};

static const char empty_200[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

static bool send_all(int fd, const char *bytes, size_t len) {
	while (len) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

static size_t content_length(const char *head, const char *end) {
	for (const char *line = head; line < end; line = strstr(line, "\r\n") + 2)
		if (!strncasecmp(line, "content-length:", 15))
			return strtoul(line + 15, NULL, 10);
	return 0;
}

/* One request at a time: curl sends the next only after the answer. Returns its length, 0 at the end of the connection. */
static size_t read_request(int fd, char *buffer) {
	size_t len = 0;

	for (;;) {
		ssize_t got = recv(fd, buffer + len, REQUEST_MAX - 1 - len, 0);
		char *end;

		if (got <= 0)
			return 0;
		len += (size_t)got;
		buffer[len] = '\0';
		end = strstr(buffer, "\r\n\r\n");
		if (end && len >= (size_t)(end + 4 - buffer) + content_length(buffer, end))
			return len;
	}
}

static void record(struct receiver *receiver, const char *request, size_t len) {
	pthread_mutex_lock(&receiver->mutex);
	free(receiver->last_request);
	receiver->last_request = x_malloc(len + 1);
	memcpy(receiver->last_request, request, len + 1);
	receiver->last_request_len = len;
	receiver->requests++;
	pthread_mutex_unlock(&receiver->mutex);
}

static void hold(struct receiver *receiver) {
	pthread_mutex_lock(&receiver->mutex);
	receiver->held++;
	receiver->held_max = MAX(receiver->held, receiver->held_max);
	while (receiver->holding)
		pthread_cond_wait(&receiver->released, &receiver->mutex);
	receiver->held--;
	pthread_mutex_unlock(&receiver->mutex);
}

static void send_for_ever(int fd, const char *piece, useconds_t pause_us) {
	while (send_all(fd, piece, strlen(piece)))
		usleep(pause_us);
}

static void reset(int fd) {
	struct linger linger = { .l_onoff = 1 };

	/* Not before the answer was read: a reset throws away what waits. */
	usleep(100 * 1000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Returns whether the connection goes on. */
static bool behave(struct receiver *receiver, int fd, int nth) {
	const char *answer = receiver->options.answer ? receiver->options.answer : empty_200;

	switch (receiver->options.behaviour) {
	case BEHAVE_HOLD:
		hold(receiver);
		return send_all(fd, answer, strlen(answer));
	case BEHAVE_ANSWER:
		return send_all(fd, answer, strlen(answer));
	case BEHAVE_SPEAK_FIRST:
	case BEHAVE_ANSWER_AND_CLOSE:
		send_all(fd, answer, strlen(answer));
		return false;
	case BEHAVE_ANSWER_AND_RESET:
		send_all(fd, answer, strlen(answer));
		reset(fd);
		return false;
	case BEHAVE_CLOSE_SECOND_REQUEST:
		return nth == 1 && send_all(fd, answer, strlen(answer));
	case BEHAVE_HANG:
		return true;
	case BEHAVE_ENDLESS_BODY:
		send_all(fd, answer, strlen(answer));
		send_for_ever(fd, "0123456789012345678901234567890123456789", 0);
		return false;
	case BEHAVE_SLOW_BODY:
		send_all(fd, answer, strlen(answer));
		send_for_ever(fd, "x", 50 * 1000);
		return false;
	case BEHAVE_ENDLESS_HEADERS:
		send_all(fd, "HTTP/1.1 200 OK\r\n", 17);
		send_for_ever(fd, "x-more: and more\r\n", 0);
		return false;
	case BEHAVE_ENDLESS_LINE:
		send_all(fd, "HTTP/1.1 200 OK\r\nx-more: ", 25);
		send_for_ever(fd, "and more and more and more and more and more and more and more", 0);
		return false;
	}
	return false;
}

static void *serve(void *userdata) {
	struct connection *connection = userdata;
	struct receiver *receiver = connection->receiver;
	_cleanup_(x_freep) char *buffer = x_malloc(REQUEST_MAX);
	bool going = receiver->options.behaviour != BEHAVE_SPEAK_FIRST || behave(receiver, connection->fd, 0);

	for (int nth = 1; going; nth++) {
		size_t len = read_request(connection->fd, buffer);

		if (!len)
			break;
		record(receiver, buffer, len);
		going = behave(receiver, connection->fd, nth);
	}
	pthread_mutex_lock(&receiver->mutex);
	close(connection->fd);
	connection->fd = -1;
	pthread_mutex_unlock(&receiver->mutex);
	return NULL;
}

static void take_connection(struct receiver *receiver, int fd) {
	struct connection *connection;

	pthread_mutex_lock(&receiver->mutex);
	if (receiver->stopping || receiver->connection_count == CONNECTIONS_MAX) {
		close(fd);
	} else {
		connection = &receiver->connections[receiver->connection_count++];
		*connection = (struct connection){ .receiver = receiver, .fd = fd };
		if (pthread_create(&connection->thread, NULL, serve, connection))
			abort();
	}
	pthread_mutex_unlock(&receiver->mutex);
}

static void *accept_all(void *userdata) {
	struct receiver *receiver = userdata;
	int fd;

	while ((fd = accept(receiver->fd, NULL, NULL)) >= 0)
		take_connection(receiver, fd);
	return NULL;
}

static int listen_on_loopback(uint16_t *port) {
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, 1024) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		abort();
	*port = ntohs(address.sin_port);
	return fd;
}

struct receiver *receiver_new(const struct receiver_options *options) {
	struct receiver *receiver = x_calloc(1, sizeof(*receiver));

	receiver->options = *options;
	receiver->holding = options->behaviour == BEHAVE_HOLD;
	receiver->fd = listen_on_loopback(&receiver->port);
	pthread_mutex_init(&receiver->mutex, NULL);
	pthread_cond_init(&receiver->released, NULL);
	if (pthread_create(&receiver->thread, NULL, accept_all, receiver))
		abort();
	return receiver;
}

static void end_connections(struct receiver *receiver) {
	pthread_mutex_lock(&receiver->mutex);
	receiver->stopping = true;
	for (int i = 0; i < receiver->connection_count; i++)
		if (receiver->connections[i].fd >= 0)
			shutdown(receiver->connections[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&receiver->mutex);
	for (int i = 0; i < receiver->connection_count; i++)
		pthread_join(receiver->connections[i].thread, NULL);
}

void receiver_free(struct receiver *receiver) {
	receiver_release(receiver);
	shutdown(receiver->fd, SHUT_RDWR);
	pthread_join(receiver->thread, NULL);
	close(receiver->fd);
	end_connections(receiver);
	pthread_cond_destroy(&receiver->released);
	pthread_mutex_destroy(&receiver->mutex);
	free(receiver->last_request);
	free(receiver);
}

uint16_t receiver_port(const struct receiver *receiver) {
	return receiver->port;
}

static int read_locked(struct receiver *receiver, const int *value) {
	int copy;

	pthread_mutex_lock(&receiver->mutex);
	copy = *value;
	pthread_mutex_unlock(&receiver->mutex);
	return copy;
}

int receiver_connections(struct receiver *receiver) {
	return read_locked(receiver, &receiver->connection_count);
}

int receiver_requests(struct receiver *receiver) {
	return read_locked(receiver, &receiver->requests);
}

int receiver_held(struct receiver *receiver) {
	return read_locked(receiver, &receiver->held);
}

int receiver_held_max(struct receiver *receiver) {
	return read_locked(receiver, &receiver->held_max);
}

void receiver_release(struct receiver *receiver) {
	pthread_mutex_lock(&receiver->mutex);
	receiver->holding = false;
	pthread_cond_broadcast(&receiver->released);
	pthread_mutex_unlock(&receiver->mutex);
}

char *receiver_last_request(struct receiver *receiver, size_t *len) {
	char *copy = NULL;

	pthread_mutex_lock(&receiver->mutex);
	*len = receiver->last_request_len;
	if (receiver->last_request) {
		copy = x_malloc(*len + 1);
		memcpy(copy, receiver->last_request, *len + 1);
	}
	pthread_mutex_unlock(&receiver->mutex);
	return copy;
}

uint16_t receiver_unused_port(void) {
	uint16_t port;
	int fd = listen_on_loopback(&port);

	close(fd);
	return port;
}
