/*
 * A server's side of TLS: 1.3, and 1.2 only with forward secrecy and AEAD; no renegotiation, no
 * compression, no early data; http/1.1 by ALPN. Source: RFC 8996, RFC 9325 sections 3 and 4, RFC
 * 7301.
 *
 * Sessions are resumed by tickets under a key of this process. The process must ignore SIGPIPE.
 */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct http_tls;
struct http_tls_session;

enum { HTTP_TLS_E_CERTIFICATE = 1, HTTP_TLS_E_KEY };

/* `certificate` (followed by its chain) and `private_key` are PEM, and copied. Returns 0, or
 * which of them is wrong, with the reason in `why` (static). */
int http_tls_new(const char *certificate, const char *private_key, struct http_tls **out,
		 const char **why) _must_check_;
/* Shows other files to connections that are accepted from now on. Returns as above, and nothing
 * has changed then. Any thread. */
int http_tls_reload(struct http_tls *tls, const char *certificate, const char *private_key,
		    const char **why) _must_check_;
/* The end of the certificate that is shown, in seconds since 1970. Any thread. */
int64_t http_tls_expires_s(struct http_tls *tls);
void http_tls_free(struct http_tls *tls);
DEFINE_CLEANUP(struct http_tls, http_tls_free)

/* Makes the session of an accepted connection. Borrows the descriptor, which must be
 * non-blocking. */
struct http_tls_session *http_tls_session_new(struct http_tls *tls, int fd);
void http_tls_session_free(struct http_tls_session *session);

/* Each returns -EAGAIN where the descriptor must first become readable or writable, and -EIO for
 * a fault. */
int http_tls_handshake(struct http_tls_session *session) _must_check_;
/* Returns the bytes read; 0: the client has ended. */
ssize_t http_tls_read(struct http_tls_session *session, void *bytes, size_t len) _must_check_;
/* Returns the bytes written. After -EAGAIN, call again with the same bytes, at any address. */
ssize_t http_tls_write(struct http_tls_session *session, const void *bytes,
		       size_t len) _must_check_;
/* Tells the client that nothing follows. */
void http_tls_close(struct http_tls_session *session);
