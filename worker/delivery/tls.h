/*
 * What TLS needs beyond curl: the authorities, read once for all connections, and a bound on what a
 * peer may say before curl sees anything of it. The only file that knows OpenSSL, which is the TLS
 * library of the libcurl that we are built for.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* Certificates of authorities; immutable, shared by all threads. */
struct x509_store_st;

/*
 * Reads the authorities of a PEM file; `file` NULL: of the one that libcurl would read. Returns 0;
 * or -EINVAL after logging which file has none.
 */
int tls_authorities_new(const char *file, struct x509_store_st **out)
    __attribute__((warn_unused_result));
void tls_authorities_free(struct x509_store_st *authorities);

/*
 * What a transfer hears of TLS on the connection that is opened for it. The connection may outlive
 * the transfer, but is not listened to any longer. An alert is kept where it means a failure: the
 * last one that went either way. Source: RFC 8446 section 6.
 */
struct tls_watch {
	struct x509_store_st *authorities; /* borrowed */
	struct ssl_ctx_st *context;        /* counted; of the connection; NULL: none was opened */
	uint8_t alert;      /* its number; 0, which is none of a failure: there was none */
	bool alert_is_ours; /* we sent it */
};

/* CURLOPT_SSL_CTX_FUNCTION, with a watch as its data: prepares a new connection. */
CURLcode tls_on_context(CURL *easy, void *context, void *watch);

/* Forgets the connection and what was heard. For a watch of zeros too. */
void tls_watch_end(struct tls_watch *watch);

/* "certificate_required": static text, as the RFCs write it; "unknown" where they do not. */
const char *tls_alert_name(uint8_t alert);
