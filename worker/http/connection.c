#include "http/connection.h"

#include <strings.h>
#include <utlist.h>

enum { OUT_MAX = 64 * 1024 };

void http_connection_set_phase(struct http_connection *connection, enum http_phase phase) {
	http_places_set_phase(&connection->loop->places, &connection->place, phase,
			      connection->loop->now_ms);
}

const struct http_handler *http_connection_handler(const struct http_connection *connection) {
	return &connection->loop->server->handler;
}

struct http_connection *http_connection_new(struct http_loop *loop, int fd,
					    const struct in6_addr *address) {
	struct http_connection *connection = x_calloc(1, sizeof(*connection));

	*connection = (struct http_connection){
		.loop = loop,
		.stream = { .fd = fd, .readable = true, .spare = &loop->spare_input },
		.state = HTTP_HEAD,
		.out = BUFFER_INIT(OUT_MAX)
	};
	if (loop->server->tls) {
		connection->stream.tls = http_tls_session_new(loop->server->tls, fd);
		connection->state = HTTP_HANDSHAKE;
	}
	http_places_add(&loop->places, &connection->place, address, loop->now_ms);
	atomic_fetch_add(&loop->server->connections, 1);
	return connection;
}

void http_connection_close(struct http_connection *connection) {
	struct http_loop *loop = connection->loop;

	if (connection->state == HTTP_CLOSED)
		return;
	http_connection_end_request(connection);
	buffer_destroy(&connection->out);
	http_stream_close(&connection->stream, connection->state != HTTP_LINGER);
	http_places_remove(&loop->places, &connection->place);
	if (connection->is_ready)
		DL_DELETE(loop->ready, connection);
	connection->state = HTTP_CLOSED;
	connection->next_dead = loop->dead;
	loop->dead = connection;
	atomic_fetch_sub(&loop->server->connections, 1);
	atomic_fetch_sub(&loop->load, 1);
}

struct http_entry *http_connection_begin_request(struct http_connection *connection) {
	struct http_server *server = connection->loop->server;
	struct arena *arena = arena_new();
	struct http_entry *entry = arena_alloc(arena, sizeof(*entry));

	*entry = (struct http_entry){ .request = { .arena = arena,
						   .head = &entry->head,
						   .body = BUFFER_INIT(server->body_max) },
				      .connection = connection,
				      .head = { .method = "", .path = "" } };
	connection->entry = entry;
	atomic_fetch_add(&server->requests, 1);
	return entry;
}

void http_connection_end_request(struct http_connection *connection) {
	struct http_entry *entry = TAKE(connection->entry);

	if (!entry)
		return;
	if (entry->is_owed)
		atomic_fetch_sub(&connection->loop->server->owed, 1);
	atomic_fetch_sub(&connection->loop->server->requests, 1);
	buffer_destroy(&entry->request.body);
	buffer_destroy(&entry->request.answer.body);
	arena_free(entry->request.arena);
}

/* --- What handlers do with a request --- */

const char *http_request_header(const struct http_request *request, const char *name) {
	return http_head_field(request->head, name);
}

size_t http_request_header_count(const struct http_request *request, const char *name) {
	return http_head_field_count(request->head, name);
}

const char *http_request_header_list(const struct http_request *request, const char *name) {
	const char *list = NULL;

	for (size_t i = 0; i < request->head->field_count; i++) {
		const struct http_header *field = &request->head->fields[i];

		if (strcasecmp(field->name, name) == 0)
			list = list ? arena_printf(request->arena, "%s,%s", list, field->value)
				    : arena_strdup(request->arena, field->value);
	}
	return list;
}

void http_request_wait(struct http_request *request) {
	((struct http_entry *)request)->waits = true;
}

void http_request_answered(struct http_request *request) {
	struct http_connection *connection = ((struct http_entry *)request)->connection;

	http_inbox_put_answered(&connection->loop->inbox, &connection->answered);
}
