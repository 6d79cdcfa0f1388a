/*
 * A server's side of TLS: 1.2 with forward secrecy and AEAD only, and 1.3; no renegotiation, no
 * compression, no early data; http/1.1 by ALPN. Source: RFC 8996, RFC 9325 sections 3 and 4, RFC
 * 7301.
 *
 * Sessions are resumed by tickets, whose key is this process's. The process ignores SIGPIPE.
 */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <sys/types.h>

struct http_tls;
struct http_tls_session;

enum { HTTP_TLS_E_CERTIFICATE = 1, HTTP_TLS_E_KEY };

/* `certificate` (with its chain behind it) and `private_key` are PEM, and not kept. Returns 0, or
 * which of them is wrong, with the reason in `why` (static). */
int http_tls_new(const char *certificate, const char *private_key, struct http_tls **out,
		 const char **why) _must_check_;
void http_tls_free(struct http_tls *tls);
DEFINE_CLEANUP(struct http_tls, http_tls_free)

/* Of a connection that was accepted; the descriptor does not block and is borrowed. */
struct http_tls_session *http_tls_session_new(struct http_tls *tls, int fd);
void http_tls_session_free(struct http_tls_session *session);

/* Each returns -EAGAIN where the descriptor must first be readable or writable, and -EIO at a
 * fault. */
int http_tls_handshake(struct http_tls_session *session) _must_check_;
/* The bytes that were read; 0: the client has ended. */
ssize_t http_tls_read(struct http_tls_session *session, void *bytes, size_t len) _must_check_;
/* The bytes that were written. After -EAGAIN the same bytes are to be given again, wherever they
 * lie then. */
ssize_t http_tls_write(struct http_tls_session *session, const void *bytes,
		       size_t len) _must_check_;
/* Tells the client that nothing more comes. */
void http_tls_close(struct http_tls_session *session);
