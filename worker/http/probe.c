#include "http/probe.h"

#include "base/fd.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

enum { PATIENCE_S = 5, TEXT_MAX = 4096 };

/* A server that listens everywhere is asked at 0.0.0.0 or [::], which is this machine. */
static int reach(const struct listen_address *listen, int *out) {
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	_cleanup_(fd_closep) int fd = -1;
	struct addrinfo *address;
	char port[8];
	int r = 0;

	snprintf(port, sizeof(port), "%u", listen->port);
	if (getaddrinfo(listen->host, port, &hints, &address))
		return -EADDRNOTAVAIL;
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		r = -errno;
	freeaddrinfo(address);
	if (r)
		return r;
	*out = fd;
	fd = -1;
	return 0;
}

/* Until the server ends the connection. */
static int read_text(int fd, struct buffer *out) {
	char bytes[512];
	ssize_t len;

	while ((len = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		buffer_append(out, bytes, (size_t)len);
	return len < 0 ? -errno : 0;
}

int http_probe(const struct listen_address *listen, const char *path, struct buffer *answer) {
	_cleanup_(x_freep) char *request =
	    x_asprintf("GET %s HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", path);
	_cleanup_(buffer_destroy) struct buffer text = BUFFER_INIT(TEXT_MAX);
	_cleanup_(fd_closep) int fd = -1;
	const char *body;
	int r = reach(listen, &fd), status = 0;

	if (r == 0 && send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		r = -errno;
	if (r == 0)
		r = read_text(fd, &text);
	if (r)
		return r;
	body = text.len ? strstr(text.data, "\r\n\r\n") : NULL;
	if (!body || sscanf(text.data, "HTTP/1.%*1d %3d", &status) != 1)
		return -EPROTO;
	buffer_append_string(answer, body + strlen("\r\n\r\n"));
	return status == 200 ? 0 : HTTP_PROBE_E_REFUSED;
}
