/*
 * What TLS needs beyond curl: the authorities, read once for all connections, and a bound on what a peer may say before curl sees anything of it.
 * The only file that knows OpenSSL, which is the TLS library of the libcurl that we are built for.
 */
#pragma once

#include <curl/curl.h>

/* Certificates of authorities; immutable, shared by all threads. */
struct x509_store_st;

/*
 * Reads the authorities of a PEM file; `file` NULL: of the one that libcurl would read. Returns 0; or -EINVAL after logging which file has none.
 */
int tls_authorities_new(const char *file, struct x509_store_st **out) __attribute__((warn_unused_result));
void tls_authorities_free(struct x509_store_st *authorities);

/* CURLOPT_SSL_CTX_FUNCTION, with the authorities as its data: prepares a new connection. */
CURLcode tls_on_context(CURL *easy, void *context, void *authorities);
