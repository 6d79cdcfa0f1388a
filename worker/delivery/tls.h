/*
 * TLS beyond curl: the authorities, read once for all connections; a bound on a peer's handshake
 * messages, of which curl sees nothing; the alerts; and whether a client's certificate can be used.
 * The only file of this folder that knows OpenSSL, the TLS library of the libcurl that this is
 * built for.
 */
#pragma once

#include "base/memory.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* Certificates of authorities, shared by all threads. */
struct tls_authorities;

/*
 * Reads the authorities of a PEM file; NULL: of the file that libcurl would read. The caller owns
 * them. Returns 0, or -EINVAL after logging the file that has none.
 */
int tls_authorities_new(const char *file, struct tls_authorities **out) _must_check_;
void tls_authorities_free(struct tls_authorities *authorities);
/* Reads them again; connections opened from now on trust these. Returns as above, and nothing has
 * changed then. Any thread. */
int tls_authorities_reload(struct tls_authorities *authorities, const char *file) _must_check_;
/* When a reload last read other certificates than before (monotonic); 0: none did. Connections and
 * sessions from before it were judged by the others. Any thread. */
int64_t tls_authorities_changed_us(const struct tls_authorities *authorities);

enum { TLS_E_CERTIFICATE = 1, TLS_E_KEY = 2 };

/*
 * Whether the private key belongs to the certificate, which may have its chain behind it, and
 * OpenSSL takes both. They are PEM texts; a key with a passphrase is refused. Returns 0 with the
 * certificate's end in seconds since 1970; or TLS_E_CERTIFICATE or TLS_E_KEY for the text at fault,
 * with the fault in `why` (static text).
 */
int tls_judge_pair(const char *certificate, const char *key, int64_t *expires_s,
		   const char **why) _must_check_;

/*
 * Records the TLS alerts of the connection that is opened for a transfer: of those that mean a
 * failure, the last one in either direction. The connection may outlive the transfer, but is not
 * watched after it. Source: RFC 8446 section 6.
 */
struct tls_watch {
	struct tls_authorities *authorities; /* borrowed */
	struct ssl_ctx_st *context;          /* counted; of the connection; NULL: none was opened */
	uint8_t alert;                       /* its number; 0 (close_notify): there was none */
	bool alert_is_ours;                  /* sent by this end */
};

/* For CURLOPT_SSL_CTX_FUNCTION, with a watch as `userdata`: prepares a new connection. */
CURLcode tls_on_context(CURL *easy, void *context, void *userdata);

/* The version of TLS that the transfer's connection speaks, "TLSv1.3": static; NULL: none. Known
 * while curl holds the connection for the transfer. */
const char *tls_version(CURL *easy);

/* Forgets the connection and its alert. Safe on a watch of zeros. */
void tls_watch_end(struct tls_watch *watch);

/* "certificate_required": static text, as the RFCs write it; "unknown" where they do not. */
const char *tls_alert_name(uint8_t alert);
