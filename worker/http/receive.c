#include "http/receive.h"

#include "http/send.h"

static const struct http_refusal TOO_LARGE = { 413, "The body is too large." };

/* Reads more input. BLOCKED also where the client has ended: the connection is closed then. */
static enum http_progress read_input(struct http_connection *connection) {
	switch (http_stream_read(&connection->stream)) {
	case HTTP_STREAM_MORE:
		return HTTP_AGAIN;
	case HTTP_STREAM_ENDED:
		http_connection_close(connection);
		break;
	case HTTP_STREAM_BLOCKED:
		break;
	}
	return HTTP_BLOCKED;
}

/* The whole request is there. */
static enum http_progress complete(struct http_connection *connection) {
	const struct http_handler *handler = http_connection_handler(connection);
	struct http_entry *entry = connection->entry;
	struct http_request *request = &entry->request;

	entry->is_owed = true;
	atomic_fetch_add(&connection->loop->server->owed, 1);
	if (!request->answer.status && request->body_too_large)
		handler->on_refused(handler->userdata, request, TOO_LARGE.status,
				    TOO_LARGE.message);
	if (!request->answer.status)
		handler->on_request(handler->userdata, request);
	if (!entry->waits)
		return http_send_begin(connection);
	/* Does not check for an answer from another thread: that comes through the inbox. */
	if (!http_stream_input(&connection->stream).len)
		http_stream_release(&connection->stream);
	connection->state = HTTP_WAITING;
	http_connection_set_phase(connection, HTTP_PHASE_SERVER);
	return HTTP_BLOCKED;
}

/* --- Bodies --- */

static void keep_portion(struct http_entry *entry, struct http_portion portion) {
	struct http_request *request = &entry->request;
	bool is_wanted = !request->answer.status && !request->body_too_large;

	if (is_wanted)
		buffer_append(&request->body, portion.bytes, portion.len);
	if (request->body.overflowed) {
		request->body_too_large = true;
		buffer_destroy(&request->body);
		request->body = BUFFER_INIT(request->body.max);
	}
	if (!is_wanted || request->body_too_large)
		entry->dropped += portion.len;
}

static enum http_progress take_chunks(struct http_connection *connection) {
	struct http_stream *stream = &connection->stream;
	struct http_portion portion = { 0 };
	struct http_refusal why;
	size_t used;

	switch (http_chunked_read(&connection->chunked, HTTP_DRAIN_MAX, http_stream_input(stream),
				  &used, &portion, &why)) {
	case HTTP_CHUNKED_DATA:
		keep_portion(connection->entry, portion);
		http_stream_take(stream, used);
		return connection->entry->dropped > HTTP_DRAIN_MAX
			   ? http_send_refusal(connection, TOO_LARGE)
			   : HTTP_AGAIN;
	case HTTP_CHUNKED_END:
		http_stream_take(stream, used);
		return complete(connection);
	case HTTP_CHUNKED_REFUSED:
		return http_send_refusal(connection, why);
	case HTTP_CHUNKED_MORE:
		break;
	}
	http_stream_take(stream, used);
	return HTTP_AGAIN;
}

enum http_progress http_receive_body(struct http_connection *connection) {
	struct http_portion portion = http_stream_input(&connection->stream);

	if (!portion.len)
		return read_input(connection);
	if (connection->entry->head.framing == HTTP_FRAMING_CHUNKED)
		return take_chunks(connection);
	portion.len = MIN(portion.len, connection->body_left);
	keep_portion(connection->entry, portion);
	http_stream_take(&connection->stream, portion.len);
	connection->body_left -= portion.len;
	return connection->body_left ? HTTP_AGAIN : complete(connection);
}

/* Source: RFC 9110 section 10.1.1. A client that does not take even these few bytes is given up. */
static enum http_progress send_continue(struct http_connection *connection) {
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct http_portion portion = { text, sizeof(text) - 1 };

	if (http_stream_write(&connection->stream, portion, 0) == (ssize_t)portion.len)
		return HTTP_AGAIN;
	http_connection_close(connection);
	return HTTP_BLOCKED;
}

/* --- Heads --- */

/* Whether to wait for a body: not for one larger than HTTP_DRAIN_MAX, and not for one that the
 * client has not begun to send. */
static bool is_worth_draining(const struct http_head *head) {
	return !head->expects_continue && head->content_length <= HTTP_DRAIN_MAX;
}

static enum http_progress begin_body(struct http_connection *connection) {
	struct http_entry *entry = connection->entry;
	const struct http_head *head = &entry->head;
	struct http_request *request = &entry->request;

	if (!request->answer.status && !is_worth_draining(head) &&
	    head->content_length > request->body.max)
		return http_send_refusal(connection, TOO_LARGE);
	if (request->answer.status && !is_worth_draining(head))
		return http_send_refusal(connection, (struct http_refusal){ 0 });
	request->body_too_large = head->content_length > request->body.max;
	connection->chunked = (struct http_chunked){ 0 };
	connection->body_left = head->content_length;
	connection->state = HTTP_BODY;
	return head->expects_continue && !http_stream_input(&connection->stream).len
		   ? send_continue(connection)
		   : HTTP_AGAIN;
}

static enum http_progress take_head(struct http_connection *connection, size_t len) {
	const struct http_handler *handler = http_connection_handler(connection);
	struct http_entry *entry = http_connection_begin_request(connection);
	struct http_request *request = &entry->request;
	struct http_refusal why;

	if (http_head_parse(
		arena_memdup(request->arena, http_stream_input(&connection->stream).bytes, len),
		len, &entry->head, &why))
		return http_send_refusal(connection, why);
	http_stream_take(&connection->stream, len);
	/* IDLE ends, also where a whole head came at once. */
	if (connection->place.phase == HTTP_PHASE_IDLE)
		http_connection_set_phase(connection, HTTP_PHASE_REQUEST);
	request->has_body =
	    entry->head.framing == HTTP_FRAMING_CHUNKED || entry->head.content_length;
	handler->on_head(handler->userdata, request);
	return request->has_body ? begin_body(connection) : complete(connection);
}

/* Skips one empty line before a request. Returns false where only half of one is there. Source:
 * RFC 9112 section 2.2. */
static bool skip_empty_line(struct http_connection *connection) {
	struct http_portion input = http_stream_input(&connection->stream);
	size_t len = MIN(input.len, (size_t)2);

	if (connection->skipped || connection->scanned || !len ||
	    memcmp(input.bytes, "\r\n", len) != 0)
		return true;
	if (len < 2)
		return false;
	http_stream_take(&connection->stream, 2);
	connection->skipped = true;
	return true;
}

/* Waits for further bytes: frees an empty input; ends IDLE where a part of a request is there. */
static void rest(struct http_connection *connection) {
	if (!http_stream_input(&connection->stream).len)
		http_stream_release(&connection->stream);
	else if (connection->place.phase == HTTP_PHASE_IDLE)
		http_connection_set_phase(connection, HTTP_PHASE_REQUEST);
}

enum http_progress http_receive_head(struct http_connection *connection) {
	bool is_at_head = skip_empty_line(connection);
	struct http_portion input = http_stream_input(&connection->stream);
	struct http_refusal why;
	enum http_progress progress;
	ssize_t len = 0;

	if (is_at_head && input.len)
		len = http_head_find(input.bytes, input.len, &connection->scanned, &why);
	if (len > 0)
		return take_head(connection, (size_t)len);
	if (len < 0) {
		http_connection_begin_request(connection);
		return http_send_refusal(connection, why);
	}
	progress = read_input(connection);
	if (progress == HTTP_BLOCKED && connection->state != HTTP_CLOSED)
		rest(connection);
	return progress;
}
