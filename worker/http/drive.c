#include "http/drive.h"

#include "http/receive.h"
#include "http/send.h"

#include <errno.h>
#include <sys/socket.h>
#include <utlist.h>

static enum http_progress handshake(struct http_connection *connection) {
	int r = http_tls_handshake(connection->stream.tls);

	if (r == 0) {
		connection->state = HTTP_HEAD;
		return HTTP_AGAIN;
	}
	if (r != -EAGAIN)
		http_connection_close(connection);
	return HTTP_BLOCKED;
}

/* Lets the client read its answer: closing a socket with unread bytes would reset it. Source:
 * RFC 9112 section 9.6. */
static enum http_progress linger(struct http_connection *connection) {
	char bytes[4096];
	ssize_t n;

	while (connection->lingered < HTTP_DRAIN_MAX &&
	       (n = recv(connection->stream.fd, bytes, sizeof(bytes), 0)) != 0) {
		if (n < 0 && errno == EAGAIN)
			return HTTP_BLOCKED;
		if (n < 0)
			break;
		connection->lingered += (size_t)n;
	}
	http_connection_close(connection);
	return HTTP_BLOCKED;
}

static enum http_progress step(struct http_connection *connection) {
	switch (connection->state) {
	case HTTP_HANDSHAKE:
		return handshake(connection);
	case HTTP_HEAD:
		return http_receive_head(connection);
	case HTTP_BODY:
		return http_receive_body(connection);
	case HTTP_SENDING:
		return http_send_step(connection);
	case HTTP_LINGER:
		return linger(connection);
	case HTTP_WAITING:
	case HTTP_CLOSED:
		break;
	}
	return HTTP_BLOCKED;
}

static bool has_more(const struct http_connection *connection) {
	return connection->stream.readable || http_stream_input(&connection->stream).len;
}

void http_drive(struct http_connection *connection) {
	enum http_progress progress;

	while ((progress = step(connection)) == HTTP_AGAIN)
		;
	if (progress != HTTP_YIELD || connection->is_ready)
		return;
	if (!has_more(connection)) {
		http_stream_release(&connection->stream);
		return;
	}
	connection->is_ready = true;
	DL_APPEND(connection->loop->ready, connection);
}

void http_drive_answered(struct http_connection *connection) {
	if (http_send_begin(connection) == HTTP_AGAIN)
		http_drive(connection);
}
