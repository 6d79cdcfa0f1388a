#include "gateway/http_connection.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <utlist.h>

struct http_connection {
	struct http_connection *prev, *next;
	int fd;
	_Atomic int64_t deadline_ms; /* monotonic; INT64_MAX: none */
};

struct http_connections {
	pthread_mutex_t lock;
	struct http_connection *list; /* guarded by `lock` */
	unsigned count;
	int64_t timeout_ms;
};

struct http_connections *http_connections_new(int64_t timeout_ms) {
	struct http_connections *connections = x_calloc(1, sizeof(*connections));

	pthread_mutex_init(&connections->lock, NULL);
	connections->timeout_ms = timeout_ms;
	return connections;
}

void http_connections_free(struct http_connections *connections) {
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

struct http_connection *http_connections_add(struct http_connections *connections, int fd) {
	struct http_connection *connection = x_calloc(1, sizeof(*connection));

	connection->fd = fd;
	http_connection_expect(connections, connection);
	pthread_mutex_lock(&connections->lock);
	DL_APPEND(connections->list, connection);
	connections->count++;
	pthread_mutex_unlock(&connections->lock);
	return connection;
}

void http_connections_remove(struct http_connections *connections, struct http_connection *connection) {
	if (!connection)
		return;
	pthread_mutex_lock(&connections->lock);
	DL_DELETE(connections->list, connection);
	connections->count--;
	pthread_mutex_unlock(&connections->lock);
	free(connection);
}

void http_connection_expect(const struct http_connections *connections, struct http_connection *connection) {
	if (connection)
		atomic_store(&connection->deadline_ms, clock_monotonic_ms() + connections->timeout_ms);
}

void http_connection_rest(struct http_connection *connection) {
	if (connection)
		atomic_store(&connection->deadline_ms, INT64_MAX);
}

void http_connections_sweep(struct http_connections *connections) {
	int64_t now_ms = clock_monotonic_ms();
	struct http_connection *connection;

	pthread_mutex_lock(&connections->lock);
	DL_FOREACH(connections->list, connection) {
		if (atomic_load(&connection->deadline_ms) > now_ms)
			continue;
		shutdown(connection->fd, SHUT_RDWR);
		http_connection_rest(connection); /* once */
	}
	pthread_mutex_unlock(&connections->lock);
}

unsigned http_connections_count(struct http_connections *connections) {
	unsigned count;

	pthread_mutex_lock(&connections->lock);
	count = connections->count;
	pthread_mutex_unlock(&connections->lock);
	return count;
}
