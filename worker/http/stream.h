/* The bytes of a connection: its socket, plain or with TLS, and the input that was read and not
 * yet consumed. Not thread-safe. */
#pragma once

#include "http/head.h"
#include "http/tls.h"

struct http_stream {
	int fd;                       /* owned; does not block */
	struct http_tls_session *tls; /* owned; NULL: plain text */
	bool readable;                /* there may be more to read */
	bool has_ended;               /* the client has ended; only the bytes already read follow */
	char *input;                  /* owned; HTTP_HEAD_MAX bytes, or NULL */
	size_t at, end;               /* the part of the input that is not yet consumed */
	void **spare;                 /* borrowed: holds the memory of one unused input */
};

/* MORE: another read may help, mostly because there is more input. BLOCKED: the stream must first
 * be readable. ENDED: the client has ended, or the connection is broken. */
enum http_stream_result { HTTP_STREAM_MORE, HTTP_STREAM_BLOCKED, HTTP_STREAM_ENDED };

/* Reads once; a head of HTTP_HEAD_MAX bytes always fits. */
enum http_stream_result http_stream_read(struct http_stream *stream) _must_check_;
/* The unconsumed input, valid until the next call. */
struct http_portion http_stream_input(const struct http_stream *stream);
/* Consumes the first `len` bytes of the input. */
void http_stream_take(struct http_stream *stream, size_t len);
/* Drops the input and frees its memory. */
void http_stream_release(struct http_stream *stream);

/* Returns the bytes written, or a negative errno. `flags` are those of send, for plain text. */
ssize_t http_stream_write(struct http_stream *stream, struct http_portion portion,
			  int flags) _must_check_;

/* Tells the client that nothing follows. Its further bytes can still be read. */
void http_stream_finish(struct http_stream *stream);
/* Closes the socket. With `says_so`, a TLS client is told first that nothing follows. */
void http_stream_close(struct http_stream *stream, bool says_so);
