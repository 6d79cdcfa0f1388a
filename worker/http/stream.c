#include "http/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_portion http_stream_input(const struct http_stream *stream) {
	return (struct http_portion){ stream->input ? stream->input + stream->at : NULL,
				      stream->end - stream->at };
}

void http_stream_take(struct http_stream *stream, size_t len) {
	stream->at += len;
	if (stream->at == stream->end)
		stream->at = stream->end = 0;
}

void http_stream_release(struct http_stream *stream) {
	if (!*stream->spare)
		*stream->spare = TAKE(stream->input);
	free(TAKE(stream->input));
	stream->at = stream->end = 0;
}

static void make_room(struct http_stream *stream) {
	if (!stream->input) {
		stream->input = *stream->spare ? *stream->spare : x_malloc(HTTP_HEAD_MAX);
		*stream->spare = NULL;
	}
	if (stream->at) {
		memmove(stream->input, stream->input + stream->at, stream->end - stream->at);
		stream->end -= stream->at;
		stream->at = 0;
	}
}

static ssize_t receive(struct http_stream *stream, void *bytes, size_t len) {
	ssize_t n =
	    stream->tls ? http_tls_read(stream->tls, bytes, len) : recv(stream->fd, bytes, len, 0);

	return n < 0 && !stream->tls ? -errno : n;
}

enum http_stream_result http_stream_read(struct http_stream *stream) {
	size_t room;
	ssize_t n;

	if (!stream->readable)
		return HTTP_STREAM_BLOCKED;
	make_room(stream);
	room = HTTP_HEAD_MAX - stream->end;
	n = receive(stream, stream->input + stream->end, room);
	if (n > 0) {
		stream->end += (size_t)n;
		/* A read that returns less than the room has emptied a plain socket. The next event
		 * reports further bytes; the end was reported already. */
		stream->readable = stream->tls || stream->has_ended || (size_t)n == room;
		return HTTP_STREAM_MORE;
	}
	if (n == -EINTR)
		return HTTP_STREAM_MORE;
	if (n != -EAGAIN)
		return HTTP_STREAM_ENDED;
	stream->readable = false;
	return HTTP_STREAM_BLOCKED;
}

ssize_t http_stream_write(struct http_stream *stream, struct http_portion portion, int flags) {
	ssize_t n = stream->tls
			? http_tls_write(stream->tls, portion.bytes, portion.len)
			: send(stream->fd, portion.bytes, portion.len, MSG_NOSIGNAL | flags);

	return n < 0 && !stream->tls ? -errno : n;
}

void http_stream_finish(struct http_stream *stream) {
	if (stream->tls)
		http_tls_close(stream->tls);
	shutdown(stream->fd, SHUT_WR);
}

void http_stream_close(struct http_stream *stream, bool says_so) {
	http_stream_release(stream);
	if (stream->tls && says_so)
		http_tls_close(stream->tls);
	http_tls_session_free(TAKE(stream->tls));
	close(stream->fd);
}
