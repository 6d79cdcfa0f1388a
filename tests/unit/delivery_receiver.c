#include "delivery_receiver.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 4096, REQUEST_MAX = 512 * 1024 };

struct connection {
	struct receiver *receiver;
	int fd;
	SSL *tls; /* NULL: plain http */
	pthread_t thread;
};

struct receiver {
	struct receiver_options options;
	SSL_CTX *tls; /* NULL: plain http */
	char last_server_name[256], last_client_name[256];
	int fd;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t released;
	bool holding, stopping;
	int held, held_max, requests, resumed, connection_count;
	struct connection connections[CONNECTIONS_MAX];
	char *last_request;
	size_t last_request_len;
};

static const char empty_200[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

static ssize_t send_some(struct connection *connection, const char *bytes, size_t len) {
	if (connection->tls)
		return SSL_write(connection->tls, bytes, (int)len);
	return send(connection->fd, bytes, len, MSG_NOSIGNAL);
}

static ssize_t receive_some(struct connection *connection, char *bytes, size_t len) {
	if (connection->tls)
		return SSL_read(connection->tls, bytes, (int)len);
	return recv(connection->fd, bytes, len, 0);
}

static bool send_all(struct connection *connection, const char *bytes, size_t len) {
	while (len) {
		ssize_t sent = send_some(connection, bytes, len);

		if (sent <= 0)
			return false;
		bytes += sent;
		len -= (size_t)sent;
	}
	return true;
}

static bool send_text(struct connection *connection, const char *text) {
	return send_all(connection, text, strlen(text));
}

static size_t content_length(const char *head, const char *end) {
	for (const char *line = head; line < end; line = strstr(line, "\r\n") + 2)
		if (!strncasecmp(line, "content-length:", 15))
			return strtoul(line + 15, NULL, 10);
	return 0;
}

/* A part of its body is enough. */
static bool leaves_body(enum behaviour behaviour, int nth) {
	return behaviour == BEHAVE_CLOSE_IN_BODY ||
	       (behaviour == BEHAVE_CLOSE_IN_SECOND_BODY && nth == 2);
}

/* One request at a time: curl sends the next only after the answer. Returns its length, 0 at the
 * end of the connection. */
static size_t read_request(struct connection *connection, char *buffer, int nth) {
	size_t len = 0;

	for (;;) {
		ssize_t got = receive_some(connection, buffer + len, REQUEST_MAX - 1 - len);
		char *end;

		if (got <= 0)
			return 0;
		len += (size_t)got;
		buffer[len] = '\0';
		end = strstr(buffer, "\r\n\r\n");
		if (end && (len >= (size_t)(end + 4 - buffer) + content_length(buffer, end) ||
			    leaves_body(connection->receiver->options.behaviour, nth)))
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

static void send_for_ever(struct connection *connection, const char *piece, useconds_t pause_us) {
	while (send_text(connection, piece))
		usleep(pause_us);
}

static void reset(int fd) {
	struct linger linger = { .l_onoff = 1 };

	/* Not before the answer was read: a reset throws unread bytes away. */
	usleep(100 * 1000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* The first request of a connection is answered, the second never to its end. Returns whether the
 * connection goes on. */
static bool behave_by_number(struct connection *connection, const char *answer, int nth) {
	if (nth == 1)
		return send_text(connection, answer);
	if (connection->receiver->options.behaviour == BEHAVE_BREAK_SECOND_ANSWER)
		send_text(connection, "HTTP/1.1 200 OK\r\nx: ");
	if (connection->receiver->options.behaviour == BEHAVE_RESET_SECOND_REQUEST)
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
	return false;
}

/* Returns whether the connection goes on. */
static bool behave(struct connection *connection, int nth) {
	struct receiver *receiver = connection->receiver;
	const char *answer = receiver->options.answer ? receiver->options.answer : empty_200;

	switch (receiver->options.behaviour) {
	case BEHAVE_HOLD:
		hold(receiver);
		return send_text(connection, answer);
	case BEHAVE_ANSWER:
		return send_text(connection, answer);
	case BEHAVE_SPEAK_FIRST:
	case BEHAVE_ANSWER_AND_CLOSE:
		send_text(connection, answer);
		return false;
	case BEHAVE_ANSWER_AND_RESET:
		send_text(connection, answer);
		reset(connection->fd);
		return false;
	case BEHAVE_CLOSE_SECOND_REQUEST:
	case BEHAVE_RESET_SECOND_REQUEST:
	case BEHAVE_CLOSE_IN_SECOND_BODY:
	case BEHAVE_BREAK_SECOND_ANSWER:
		return behave_by_number(connection, answer, nth);
	case BEHAVE_HOLD_SECOND_REQUEST:
		if (connection != receiver->connections)
			return true;
		if (nth == 2)
			hold(receiver);
		return nth == 1 && send_text(connection, answer);
	case BEHAVE_HANG:
		return true;
	case BEHAVE_ENDLESS_BODY:
		send_text(connection, answer);
		send_for_ever(connection, "0123456789012345678901234567890123456789", 0);
		return false;
	case BEHAVE_SLOW_BODY:
		send_text(connection, answer);
		send_for_ever(connection, "x", 50 * 1000);
		return false;
	case BEHAVE_ENDLESS_HEADERS:
		send_text(connection, "HTTP/1.1 200 OK\r\n");
		send_for_ever(connection, "x-more: and more\r\n", 0);
		return false;
	case BEHAVE_ENDLESS_LINE:
		send_text(connection, "HTTP/1.1 200 OK\r\nx-more: ");
		send_for_ever(connection,
			      "and more and more and more and more and more and more and more", 0);
		return false;
	case BEHAVE_GARBAGE_IN_TLS:
		if (send(connection->fd, "no record of TLS at all, but text", 33, MSG_NOSIGNAL) > 0)
			usleep(200 * 1000);
		return false;
	case BEHAVE_CLOSE_IN_BODY:
	case BEHAVE_CLOSE_AT_ONCE:
	case BEHAVE_RESET_AT_ONCE:
	case BEHAVE_SILENT:
		return false;
	}
	return false;
}

/* The behaviours that do not even begin. Returns whether it was one of them. */
static bool behave_at_once(struct connection *connection) {
	char byte;

	switch (connection->receiver->options.behaviour) {
	case BEHAVE_CLOSE_AT_ONCE:
		return true;
	case BEHAVE_RESET_AT_ONCE:
		if (recv(connection->fd, &byte, 1, 0) == 1)
			setsockopt(connection->fd, SOL_SOCKET, SO_LINGER,
				   &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
		return true;
	case BEHAVE_SILENT:
		hold(connection->receiver);
		return true;
	default:
		return false;
	}
}

/* Sends nothing more, and reads the rest: a connection that is closed with unread bytes is reset,
 * and its last words are lost. */
static void linger(int fd) {
	char bytes[1024];

	shutdown(fd, SHUT_WR);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static bool shake_hands(struct connection *connection) {
	struct receiver *receiver = connection->receiver;
	const char *name;
	X509 *client;
	bool ok;

	if (!receiver->tls)
		return true;
	connection->tls = SSL_new(receiver->tls);
	SSL_set_fd(connection->tls, connection->fd);
	ok = SSL_accept(connection->tls) == 1;
	name = SSL_get_servername(connection->tls, TLSEXT_NAMETYPE_host_name);
	client = SSL_get0_peer_certificate(connection->tls);
	pthread_mutex_lock(&receiver->mutex);
	receiver->resumed += ok && SSL_session_reused(connection->tls);
	receiver->last_client_name[0] = '\0';
	if (client)
		X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName,
					  receiver->last_client_name,
					  sizeof(receiver->last_client_name));
	snprintf(receiver->last_server_name, sizeof(receiver->last_server_name), "%s",
		 name ? name : "");
	pthread_mutex_unlock(&receiver->mutex);
	if (!ok)
		linger(connection->fd);
	return ok;
}

static void converse(struct connection *connection) {
	struct receiver *receiver = connection->receiver;
	_cleanup_(x_freep) char *buffer = x_malloc(REQUEST_MAX);
	bool going = !behave_at_once(connection) && shake_hands(connection) &&
		     (receiver->options.behaviour != BEHAVE_SPEAK_FIRST || behave(connection, 0));

	for (int nth = 1; going; nth++) {
		size_t len = read_request(connection, buffer, nth);

		if (!len)
			return;
		record(receiver, buffer, len);
		going = behave(connection, nth);
	}
}

static void *serve(void *userdata) {
	struct connection *connection = userdata;
	struct receiver *receiver = connection->receiver;

	converse(connection);
	if (connection->tls && SSL_is_init_finished(connection->tls))
		SSL_shutdown(connection->tls);
	SSL_free(connection->tls);
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

static int listen_at(uint32_t host, uint16_t *port) {
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(host ? host : INADDR_LOOPBACK),
				       .sin_port = htons(*port) };
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

	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
	receiver->options = *options;
	receiver->holding = options->behaviour == BEHAVE_HOLD ||
			    options->behaviour == BEHAVE_SILENT ||
			    options->behaviour == BEHAVE_HOLD_SECOND_REQUEST;
	receiver->tls = options->tls ? tls_server_new(options->tls) : NULL;
	receiver->port = options->port;
	receiver->fd = listen_at(options->address, &receiver->port);
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
	SSL_CTX_free(receiver->tls);
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

int receiver_resumed(struct receiver *receiver) {
	return read_locked(receiver, &receiver->resumed);
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

static char *copy_locked(struct receiver *receiver, const char *text) {
	char *copy;

	pthread_mutex_lock(&receiver->mutex);
	copy = x_strdup(text);
	pthread_mutex_unlock(&receiver->mutex);
	return copy;
}

char *receiver_last_server_name(struct receiver *receiver) {
	return copy_locked(receiver, receiver->last_server_name);
}

char *receiver_last_client_name(struct receiver *receiver) {
	return copy_locked(receiver, receiver->last_client_name);
}

uint16_t receiver_unused_port(void) {
	uint16_t port = 0;
	int fd = listen_at(0, &port);

	close(fd);
	return port;
}

uint16_t receiver_full_port(void) {
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t port = 0;

	if (listen(listen_at(0, &port), 0))
		abort();
	address.sin_port = htons(port);
	for (int i = 0; i < 4; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0 || (connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
			       errno != EINPROGRESS))
			abort();
	}
	return port;
}
