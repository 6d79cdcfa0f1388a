#include "http/connection.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

enum {
	OUT_MAX = 64 * 1024,
	JOINED_MAX = 16 * 1024, /* a body that is sent together with its head */
};

/* A request inside the server. Everything lives in the request's arena. */
struct http_entry {
	struct http_request request; /* first: pointers to it are pointers to the entry */
	struct http_connection *connection;
	struct http_head head;
	size_t dropped; /* bytes of a dropped body */
	bool is_owed;
	bool waits;
};

/* A step's result for http_connection_run. */
enum progress { BLOCKED, AGAIN, YIELD };

static const struct http_handler *handler_of(const struct http_connection *connection) {
	return &connection->loop->server->handler;
}

static void set_phase(struct http_connection *connection, enum http_phase phase) {
	http_places_set_phase(&connection->loop->places, &connection->place, phase,
			      connection->loop->now_ms);
}

/* --- Life --- */

struct http_connection *http_connection_new(struct http_loop *loop, int fd,
					    const struct in6_addr *address) {
	struct http_connection *connection = x_calloc(1, sizeof(*connection));

	*connection = (struct http_connection){ .loop = loop,
						.fd = fd,
						.state = HTTP_HEAD,
						.readable = true,
						.out = BUFFER_INIT(OUT_MAX) };
	if (loop->server->tls) {
		connection->tls = http_tls_session_new(loop->server->tls, fd);
		connection->state = HTTP_HANDSHAKE;
	}
	http_places_add(&loop->places, &connection->place, address, loop->now_ms);
	atomic_fetch_add(&loop->server->connections, 1);
	return connection;
}

static void release_input(struct http_connection *connection) {
	if (!connection->loop->spare_input)
		connection->loop->spare_input = TAKE(connection->input);
	free(TAKE(connection->input));
	connection->input_at = connection->input_len = 0;
}

static void end_request(struct http_connection *connection) {
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

void http_connection_close(struct http_connection *connection) {
	struct http_loop *loop = connection->loop;

	if (connection->state == HTTP_CLOSED)
		return;
	end_request(connection);
	release_input(connection);
	buffer_destroy(&connection->out);
	if (connection->tls && connection->state != HTTP_LINGER)
		http_tls_close(connection->tls);
	http_tls_session_free(TAKE(connection->tls));
	close(connection->fd);
	http_places_remove(&loop->places, &connection->place);
	if (connection->is_ready)
		DL_DELETE(loop->ready, connection);
	connection->state = HTTP_CLOSED;
	connection->next_dead = loop->dead;
	loop->dead = connection;
	atomic_fetch_sub(&loop->server->connections, 1);
	atomic_fetch_sub(&loop->load, 1);
}

/* --- Bytes in --- */

static size_t input_left(const struct http_connection *connection) {
	return connection->input_len - connection->input_at;
}

static void take_input(struct http_connection *connection, size_t len) {
	connection->input_at += len;
	if (connection->input_at == connection->input_len)
		connection->input_at = connection->input_len = 0;
}

/* The free part of the input, which always has room for a head. */
static struct http_portion input_room(struct http_connection *connection) {
	struct http_loop *loop = connection->loop;

	if (!connection->input) {
		connection->input = loop->spare_input ? loop->spare_input : x_malloc(HTTP_HEAD_MAX);
		loop->spare_input = NULL;
	}
	if (connection->input_at) {
		memmove(connection->input, connection->input + connection->input_at,
			input_left(connection));
		connection->input_len = input_left(connection);
		connection->input_at = 0;
	}
	return (struct http_portion){ connection->input + connection->input_len,
				      HTTP_HEAD_MAX - connection->input_len };
}

static ssize_t receive(struct http_connection *connection, void *bytes, size_t len) {
	ssize_t n = connection->tls ? http_tls_read(connection->tls, bytes, len)
				    : recv(connection->fd, bytes, len, 0);

	return n < 0 && !connection->tls ? -errno : n;
}

/* Reads more input. BLOCKED also where the client has ended: the connection is closed then. */
static enum progress read_input(struct http_connection *connection) {
	struct http_portion room;
	ssize_t n;

	if (!connection->readable)
		return BLOCKED;
	room = input_room(connection);
	n = receive(connection, connection->input + connection->input_len, room.len);
	if (n > 0) {
		connection->input_len += (size_t)n;
		/* A read that returns less than the room has emptied the socket. The next event
		 * reports further bytes; the end was reported already. */
		connection->readable =
		    connection->tls || connection->has_ended || (size_t)n == room.len;
		return AGAIN;
	}
	if (n == -EAGAIN || n == -EINTR)
		connection->readable = n == -EINTR;
	else
		http_connection_close(connection);
	return n == -EINTR ? AGAIN : BLOCKED;
}

/* --- Bytes out --- */

static ssize_t transmit(struct http_connection *connection, const void *bytes, size_t len,
			int flags) {
	ssize_t n = connection->tls ? http_tls_write(connection->tls, bytes, len)
				    : send(connection->fd, bytes, len, MSG_NOSIGNAL | flags);

	return n < 0 && !connection->tls ? -errno : n;
}

static bool has_body(const struct http_entry *entry) {
	int status = entry->request.answer.status;

	return strcmp(entry->head.method, "HEAD") != 0 && status != 204 && status != 304;
}

static void begin_linger(struct http_connection *connection) {
	end_request(connection);
	if (connection->tls)
		http_tls_close(connection->tls);
	shutdown(connection->fd, SHUT_WR);
	connection->readable = true;
	connection->state = HTTP_LINGER;
	set_phase(connection, HTTP_PHASE_LINGER);
}

/* Lets the client read its answer: closing a socket with unread bytes would reset it. Source:
 * RFC 9112 section 9.6. */
static enum progress linger(struct http_connection *connection) {
	char bytes[4096];
	ssize_t n;

	while (connection->lingered < HTTP_DRAIN_MAX &&
	       (n = recv(connection->fd, bytes, sizeof(bytes), 0)) != 0) {
		if (n < 0 && errno == EAGAIN)
			return BLOCKED;
		if (n < 0)
			break;
		connection->lingered += (size_t)n;
	}
	http_connection_close(connection);
	return BLOCKED;
}

static enum progress finish_answer(struct http_connection *connection) {
	const struct http_entry *entry = connection->entry;
	bool closes = entry->request.answer.closes;

	buffer_destroy(&connection->out);
	connection->sent = 0;
	if (closes) {
		begin_linger(connection);
		return AGAIN;
	}
	end_request(connection);
	connection->state = HTTP_HEAD;
	connection->skipped = false;
	connection->scanned = 0;
	set_phase(connection, HTTP_PHASE_IDLE);
	return YIELD;
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

static enum progress send_answer(struct http_connection *connection) {
	bool is_last;

	for (struct http_portion portion; (portion = unsent(connection, &is_last)).len;) {
		ssize_t n =
		    transmit(connection, portion.bytes, portion.len, is_last ? 0 : MSG_MORE);

		if (n > 0) {
			connection->sent += (size_t)n;
			continue;
		}
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN && connection->place.phase != HTTP_PHASE_ANSWER)
			set_phase(connection, HTTP_PHASE_ANSWER);
		if (n != -EAGAIN)
			http_connection_close(connection);
		return BLOCKED;
	}
	return finish_answer(connection);
}

/* Sends a small body together with its head. */
static enum progress begin_answer(struct http_connection *connection) {
	struct http_entry *entry = connection->entry;
	struct http_answer *answer = &entry->request.answer;
	struct buffer *body = &answer->body;

	if (body->overflowed) {
		log_error("answer exceeds the maximum size", "status=%d path=%s", answer->status,
			  log_quote(entry->head.path));
		buffer_destroy(body);
		handler_of(connection)
		    ->on_refused(handler_of(connection)->userdata, &entry->request, 500,
				 "The answer is too large.");
	}
	answer->closes = answer->closes || entry->head.closes ||
			 atomic_load(&connection->loop->server->draining);
	http_answer_write_head(answer, http_loop_date(connection->loop), answer->closes,
			       &connection->out);
	if (connection->out.overflowed)
		abort();
	if (has_body(entry) && !answer->fixed && body->len <= JOINED_MAX) {
		buffer_append(&connection->out, body->data, body->len);
		buffer_destroy(body);
	}
	connection->state = HTTP_SENDING;
	return AGAIN;
}

/* --- Requests --- */

static struct http_entry *begin_request(struct http_connection *connection) {
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

/* Answers with the refusal unless there is an answer already. Nothing behind it on this
 * connection is read as a request. */
static enum progress refuse_request(struct http_connection *connection, struct http_refusal why) {
	struct http_request *request = &connection->entry->request;

	if (!request->answer.status)
		handler_of(connection)
		    ->on_refused(handler_of(connection)->userdata, request, why.status,
				 why.message);
	request->answer.closes = true;
	return begin_answer(connection);
}

static const struct http_refusal TOO_LARGE = { 413, "The body is too large." };

/* The whole request is there. */
static enum progress complete(struct http_connection *connection) {
	struct http_entry *entry = connection->entry;
	struct http_request *request = &entry->request;

	entry->is_owed = true;
	atomic_fetch_add(&connection->loop->server->owed, 1);
	if (!request->answer.status && request->body_too_large)
		handler_of(connection)
		    ->on_refused(handler_of(connection)->userdata, request, TOO_LARGE.status,
				 TOO_LARGE.message);
	if (!request->answer.status)
		handler_of(connection)->on_request(handler_of(connection)->userdata, request);
	if (!entry->waits)
		return begin_answer(connection);
	/* Does not check for an answer from another thread: that comes through the inbox. */
	if (!input_left(connection))
		release_input(connection);
	connection->state = HTTP_WAITING;
	set_phase(connection, HTTP_PHASE_SERVER);
	return BLOCKED;
}

void http_request_wait(struct http_request *request) {
	((struct http_entry *)request)->waits = true;
}

void http_request_answered(struct http_request *request) {
	struct http_connection *connection = ((struct http_entry *)request)->connection;
	struct http_loop *loop = connection->loop;
	bool was_empty;

	pthread_mutex_lock(&loop->lock);
	was_empty = !loop->answered;
	connection->next_answered = loop->answered;
	loop->answered = connection;
	pthread_mutex_unlock(&loop->lock);
	if (was_empty)
		http_loop_wake(loop);
}

void http_connection_resume(struct http_connection *connection) {
	(void)begin_answer(connection);
	http_connection_run(connection);
}

const char *http_request_header(const struct http_request *request, const char *name) {
	return http_head_field(request->head, name);
}

size_t http_request_header_count(const struct http_request *request, const char *name) {
	return http_head_field_count(request->head, name);
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

static enum progress take_chunks(struct http_connection *connection) {
	struct http_portion input = { connection->input + connection->input_at,
				      input_left(connection) },
			    portion = { 0 };
	struct http_refusal why;
	size_t used;

	switch (
	    http_chunked_read(&connection->chunked, HTTP_DRAIN_MAX, input, &used, &portion, &why)) {
	case HTTP_CHUNKED_DATA:
		keep_portion(connection->entry, portion);
		take_input(connection, used);
		return connection->entry->dropped > HTTP_DRAIN_MAX
			   ? refuse_request(connection, TOO_LARGE)
			   : AGAIN;
	case HTTP_CHUNKED_END:
		take_input(connection, used);
		return complete(connection);
	case HTTP_CHUNKED_REFUSED:
		return refuse_request(connection, why);
	case HTTP_CHUNKED_MORE:
		break;
	}
	take_input(connection, used);
	return AGAIN;
}

static enum progress take_body(struct http_connection *connection) {
	struct http_portion portion;

	if (!input_left(connection))
		return read_input(connection);
	if (connection->entry->head.framing == HTTP_FRAMING_CHUNKED)
		return take_chunks(connection);
	portion = (struct http_portion){ connection->input + connection->input_at,
					 MIN(input_left(connection), connection->body_left) };
	keep_portion(connection->entry, portion);
	take_input(connection, portion.len);
	connection->body_left -= portion.len;
	return connection->body_left ? AGAIN : complete(connection);
}

/* Source: RFC 9110 section 10.1.1. A client that does not take even these few bytes is given up. */
static enum progress send_continue(struct http_connection *connection) {
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (transmit(connection, text, sizeof(text) - 1, 0) == (ssize_t)sizeof(text) - 1)
		return AGAIN;
	http_connection_close(connection);
	return BLOCKED;
}

/* --- Heads --- */

/* Whether to wait for a body: not for one larger than HTTP_DRAIN_MAX, and not for one that the
 * client has not begun to send. */
static bool is_worth_draining(const struct http_head *head) {
	return !head->expects_continue && head->content_length <= HTTP_DRAIN_MAX;
}

static enum progress begin_body(struct http_connection *connection) {
	struct http_entry *entry = connection->entry;
	const struct http_head *head = &entry->head;
	struct http_request *request = &entry->request;

	if (!request->answer.status && !is_worth_draining(head) &&
	    head->content_length > request->body.max)
		return refuse_request(connection, TOO_LARGE);
	if (request->answer.status && !is_worth_draining(head))
		return refuse_request(connection, (struct http_refusal){ 0 });
	request->body_too_large = head->content_length > request->body.max;
	connection->chunked = (struct http_chunked){ 0 };
	connection->body_left = head->content_length;
	connection->state = HTTP_BODY;
	return head->expects_continue && !input_left(connection) ? send_continue(connection)
								 : AGAIN;
}

static enum progress take_head(struct http_connection *connection, size_t len) {
	struct http_entry *entry = begin_request(connection);
	struct http_request *request = &entry->request;
	struct http_refusal why;

	if (http_head_parse(
		arena_memdup(request->arena, connection->input + connection->input_at, len), len,
		&entry->head, &why))
		return refuse_request(connection, why);
	take_input(connection, len);
	if (connection->place.phase ==
	    HTTP_PHASE_IDLE) /* IDLE ends, also where a whole head came at once */
		set_phase(connection, HTTP_PHASE_REQUEST);
	request->has_body =
	    entry->head.framing == HTTP_FRAMING_CHUNKED || entry->head.content_length;
	handler_of(connection)->on_head(handler_of(connection)->userdata, request);
	return request->has_body ? begin_body(connection) : complete(connection);
}

/* Skips one empty line before a request. Returns false where only half of one is there. Source:
 * RFC 9112 section 2.2. */
static bool skip_empty_line(struct http_connection *connection) {
	size_t len = MIN(input_left(connection), (size_t)2);

	if (connection->skipped || connection->scanned || !len ||
	    memcmp(connection->input + connection->input_at, "\r\n", len) != 0)
		return true;
	if (len < 2)
		return false;
	take_input(connection, 2);
	connection->skipped = true;
	return true;
}

static enum progress read_head(struct http_connection *connection) {
	struct http_refusal why;
	ssize_t len;
	enum progress progress;

	len = skip_empty_line(connection) && input_left(connection)
		  ? http_head_find(connection->input + connection->input_at, input_left(connection),
				   &connection->scanned, &why)
		  : 0;
	if (len > 0)
		return take_head(connection, (size_t)len);
	if (len < 0) {
		begin_request(connection);
		return refuse_request(connection, why);
	}
	progress = read_input(connection);
	if (progress != BLOCKED || connection->state == HTTP_CLOSED)
		return progress;
	if (!input_left(connection))
		release_input(connection);
	else if (connection->place.phase == HTTP_PHASE_IDLE)
		set_phase(connection, HTTP_PHASE_REQUEST);
	return BLOCKED;
}

/* --- Steps --- */

static enum progress handshake(struct http_connection *connection) {
	int r = http_tls_handshake(connection->tls);

	if (r == 0) {
		connection->state = HTTP_HEAD;
		return AGAIN;
	}
	if (r != -EAGAIN)
		http_connection_close(connection);
	return BLOCKED;
}

static enum progress step(struct http_connection *connection) {
	switch (connection->state) {
	case HTTP_HANDSHAKE:
		return handshake(connection);
	case HTTP_HEAD:
		return read_head(connection);
	case HTTP_BODY:
		return take_body(connection);
	case HTTP_SENDING:
		return send_answer(connection);
	case HTTP_LINGER:
		return linger(connection);
	case HTTP_WAITING:
	case HTTP_CLOSED:
		break;
	}
	return BLOCKED;
}

static bool has_more(const struct http_connection *connection) {
	return connection->readable || input_left(connection);
}

void http_connection_run(struct http_connection *connection) {
	enum progress progress;

	while ((progress = step(connection)) == AGAIN)
		;
	if (progress != YIELD || connection->is_ready)
		return;
	if (!has_more(connection)) {
		release_input(connection);
		return;
	}
	connection->is_ready = true;
	DL_APPEND(connection->loop->ready, connection);
}
