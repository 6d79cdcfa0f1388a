/* A connection of a sender or of a receiver: a socket, and TLS over it where there is a context.
 * What cannot be is fatal: these are benches. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct ssl_st;
struct ssl_ctx_st;

struct stream {
	int fd;
	struct ssl_st *tls; /* owned; NULL: plain */
};

/* Prints what failed, and ends the program. */
void die(const char *what) __attribute__((noreturn));

/* A context of clients, who trust the authorities in this file, and one of servers, with the
 * certificate and key in that file. Both PEM. */
struct ssl_ctx_st *stream_client_context(const char *authorities);
struct ssl_ctx_st *stream_server_context(const char *certificate);

/* To a port of loopback; waits for the connection, and for the handshake with `host` where there is
 * a `context`. */
void stream_connect(struct stream *stream, uint16_t port, struct ssl_ctx_st *context,
		    const char *host);

/* Takes over a socket that was accepted and does not block. The handshake is made by the first
 * calls of stream_receive. */
void stream_accepted(struct stream *stream, int fd, struct ssl_ctx_st *context);

/* Never waits. As recv(2): 0 is the end, -1 with EAGAIN is nothing yet. */
ssize_t stream_receive(struct stream *stream, void *bytes, size_t size);

/* Everything that is sent at once must fit into the socket's buffer, as one request or answer in
 * flight does. A peer that left is not an error. */
void stream_send(struct stream *stream, const void *bytes, size_t len);

void stream_close(struct stream *stream);
