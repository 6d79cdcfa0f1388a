#include "delivery/tls.h"

#include "base/log.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Records and messages of a connection's handshakes. A full one has less than 40. OpenSSL reads on without returning while a peer sends what it
 * ignores (HelloRequest) or answers nothing to (NewSessionTicket): without a bound that peer had the thread for as long as it liked.
 */
enum { HANDSHAKE_PARTS_MAX = 512 };

static int parts_index = -1; /* of an SSL's data: how many there were */

static bool is_of_handshake(int content_type, const SSL *ssl) {
	return content_type == SSL3_RT_HANDSHAKE || SSL_in_init(ssl);
}

/* A connection that says too much is taken for one that was closed: what OpenSSL reads next is its end. */
static void on_message(int sent, int version _unused_, int content_type, const void *bytes _unused_, size_t len _unused_, SSL *ssl,
		       void *userdata _unused_) {
	uintptr_t parts;

	if (sent || !is_of_handshake(content_type, ssl))
		return;
	parts = (uintptr_t)SSL_get_ex_data(ssl, parts_index) + 1;
	SSL_set_ex_data(ssl, parts_index, (void *)parts);
	if (parts > HANDSHAKE_PARTS_MAX)
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
}

static int refuse(const char *file) {
	log_error("no certificates of authorities: see endpoint.ca.file", "file=%s error=%s", log_quote(file),
		  log_quote(ERR_reason_error_string(ERR_peek_last_error())));
	ERR_clear_error();
	return -EINVAL;
}

static const char *default_file(CURL *easy) {
	char *file = NULL;

	return curl_easy_getinfo(easy, CURLINFO_CAINFO, &file) == CURLE_OK && file ? file : "";
}

static int load(X509_STORE *store, const char *file) {
	CURL *easy = curl_easy_init();
	int rc = 0;

	if (!easy)
		abort();
	file = file ? file : default_file(easy);
	if (X509_STORE_load_file(store, file) != 1)
		rc = refuse(file);
	curl_easy_cleanup(easy);
	return rc;
}

int tls_authorities_new(const char *file, struct x509_store_st **out) {
	X509_STORE *store = X509_STORE_new();
	int rc;

	if (parts_index < 0)
		parts_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (!store || parts_index < 0)
		abort();
	/* As curl has them: what stands in the file is trusted, be it a root or not. */
	X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	rc = load(store, file);
	if (rc)
		X509_STORE_free(store);
	else
		*out = store;
	return rc;
}

void tls_authorities_free(struct x509_store_st *authorities) {
	X509_STORE_free(authorities);
}

CURLcode tls_on_context(CURL *easy _unused_, void *context, void *authorities) {
	SSL_CTX_set1_cert_store(context, authorities);
	SSL_CTX_set_msg_callback(context, on_message);
	return CURLE_OK;
}
