#include "http/send.h"

#include "base/invariant.h"
#include "base/log.h"

#include <errno.h>
#include <sys/socket.h>

enum { JOINED_MAX = 16 * 1024 /* bytes: a smaller body is sent together with its head */ };

static bool has_body(const struct http_entry *entry) {
	int status = entry->request.answer.status;

	return strcmp(entry->head.method, "HEAD") != 0 && status != 204 && status != 304;
}

static void replace_overflowed(struct http_connection *connection) {
	const struct http_handler *handler = http_connection_handler(connection);
	struct http_entry *entry = connection->entry;
	struct http_answer *answer = &entry->request.answer;

	log_error("answer exceeds the maximum size", "status=%d path=%s", answer->status,
		  log_quote(entry->head.path));
	buffer_destroy(&answer->body);
	handler->on_refused(handler->userdata, &entry->request, 500, "The answer is too large.");
}

enum http_progress http_send_begin(struct http_connection *connection) {
	struct http_entry *entry = connection->entry;
	struct http_answer *answer = &entry->request.answer;

	if (answer->body.overflowed)
		replace_overflowed(connection);
	answer->closes = answer->closes || entry->head.closes ||
			 atomic_load(&connection->loop->server->draining);
	http_answer_write_head(answer, http_date_now(&connection->loop->date), answer->closes,
			       &connection->out);
	invariant(!connection->out.overflowed, "the head of an answer fits into its buffer");
	if (has_body(entry) && !answer->fixed && answer->body.len <= JOINED_MAX) {
		buffer_append(&connection->out, answer->body.data, answer->body.len);
		buffer_destroy(&answer->body);
	}
	connection->state = HTTP_SENDING;
	return HTTP_AGAIN;
}

enum http_progress http_send_refusal(struct http_connection *connection, struct http_refusal why) {
	const struct http_handler *handler = http_connection_handler(connection);
	struct http_request *request = &connection->entry->request;

	if (!request->answer.status)
		handler->on_refused(handler->userdata, request, why.status, why.message);
	request->answer.closes = true;
	return http_send_begin(connection);
}

/* Returns the next part of the answer; empty when all is sent. */
static struct http_portion unsent(const struct http_connection *connection, bool *is_last) {
	const struct http_answer *answer = &connection->entry->request.answer;
	const char *body = answer->fixed ? answer->fixed : answer->body.data;
	size_t head_len = connection->out.len,
	       body_len = body && has_body(connection->entry) ? http_answer_body_len(answer) : 0;

	*is_last = connection->sent >= head_len || !body_len;
	if (connection->sent < head_len)
		return (struct http_portion){ connection->out.data + connection->sent,
					      head_len - connection->sent };
	return (struct http_portion){ body_len ? body + (connection->sent - head_len) : NULL,
				      head_len + body_len - connection->sent };
}

static void begin_linger(struct http_connection *connection) {
	http_connection_end_request(connection);
	http_stream_finish(&connection->stream);
	connection->stream.readable = true;
	connection->state = HTTP_LINGER;
	http_connection_set_phase(connection, HTTP_PHASE_LINGER);
}

static enum http_progress finish(struct http_connection *connection) {
	bool closes = connection->entry->request.answer.closes;

	buffer_destroy(&connection->out);
	connection->sent = 0;
	if (closes) {
		begin_linger(connection);
		return HTTP_AGAIN;
	}
	http_connection_end_request(connection);
	connection->state = HTTP_HEAD;
	connection->skipped = false;
	connection->scanned = 0;
	http_connection_set_phase(connection, HTTP_PHASE_IDLE);
	return HTTP_YIELD;
}

enum http_progress http_send_step(struct http_connection *connection) {
	bool is_last;

	for (struct http_portion portion; (portion = unsent(connection, &is_last)).len;) {
		ssize_t n = http_stream_write(&connection->stream, portion, is_last ? 0 : MSG_MORE);

		if (n > 0) {
			connection->sent += (size_t)n;
			continue;
		}
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN && connection->place.phase != HTTP_PHASE_ANSWER)
			http_connection_set_phase(connection, HTTP_PHASE_ANSWER);
		if (n != -EAGAIN)
			http_connection_close(connection);
		return HTTP_BLOCKED;
	}
	return finish(connection);
}
