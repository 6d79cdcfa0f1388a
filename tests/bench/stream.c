#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void die(const char *what) {
	perror(what);
	exit(1);
}

static _Noreturn void die_of_tls(const char *what) {
	fprintf(stderr, "%s: ", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

SSL_CTX *stream_client_context(const char *authorities) {
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context || SSL_CTX_load_verify_locations(context, authorities, NULL) != 1)
		die_of_tls(authorities);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return context;
}

SSL_CTX *stream_server_context(const char *certificate) {
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context || SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, certificate, SSL_FILETYPE_PEM) != 1)
		die_of_tls(certificate);
	return context;
}

static void open_socket(struct stream *stream, uint16_t port) {
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static const int on = 1;

	stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (stream->fd < 0 || connect(stream->fd, (struct sockaddr *)&address, sizeof(address)))
		die("connect");
	setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static SSL *tls_over(int fd, SSL_CTX *context) {
	SSL *tls = SSL_new(context);

	if (!tls || SSL_set_fd(tls, fd) != 1)
		die_of_tls("TLS");
	return tls;
}

void stream_connect(struct stream *stream, uint16_t port, SSL_CTX *context, const char *host) {
	*stream = (struct stream){ 0 };
	open_socket(stream, port);
	if (context) {
		stream->tls = tls_over(stream->fd, context);
		if (SSL_set1_host(stream->tls, host) != 1 ||
		    SSL_set_tlsext_host_name(stream->tls, host) != 1 ||
		    SSL_connect(stream->tls) != 1)
			die_of_tls(host);
	}
	fcntl(stream->fd, F_SETFL, O_NONBLOCK);
}

void stream_accepted(struct stream *stream, int fd, SSL_CTX *context) {
	static const int on = 1;

	*stream = (struct stream){ .fd = fd };
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (context) {
		stream->tls = tls_over(fd, context);
		SSL_set_accept_state(stream->tls);
	}
}

static ssize_t receive_tls(SSL *tls, void *bytes, size_t size) {
	int len = SSL_read(tls, bytes, (int)size);
	int error = len > 0 ? SSL_ERROR_NONE : SSL_get_error(tls, len);

	if (error == SSL_ERROR_NONE)
		return len;
	ERR_clear_error();
	errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
	return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ssize_t stream_receive(struct stream *stream, void *bytes, size_t size) {
	return stream->tls ? receive_tls(stream->tls, bytes, size)
			   : recv(stream->fd, bytes, size, MSG_DONTWAIT);
}

void stream_send(struct stream *stream, const void *bytes, size_t len) {
	ssize_t sent = stream->tls ? SSL_write(stream->tls, bytes, (int)len)
				   : send(stream->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent >= 0 && (size_t)sent < len)
		die("send: not all at once");
	ERR_clear_error();
}

void stream_close(struct stream *stream) {
	SSL_free(stream->tls);
	close(stream->fd);
	stream->tls = NULL;
}
