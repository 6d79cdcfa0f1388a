#include "http/tls.h"

#include "base/invariant.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <time.h>

struct http_tls {
	pthread_mutex_t mutex; /* guards the pointer: each session counts its context */
	SSL_CTX *context;
};

struct http_tls_session {
	SSL *ssl;
	bool failed; /* nothing may be sent any more */
};

/* For TLS 1.2; every suite of 1.3 is good. */
static const char CIPHERS[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* Refuses a client that offers only other protocols. Source: RFC 7301 section 3.2. */
static int select_protocol(SSL *ssl _unused_, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *offered, unsigned offered_len,
			   void *userdata _unused_) {
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *selected;
	int r =
	    SSL_select_next_proto(&selected, out_len, ours, sizeof(ours) - 1, offered, offered_len);

	*out = selected;
	return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void set_rules(SSL_CTX *context) {
	int r;

	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
	r = SSL_CTX_set_cipher_list(context, CIPHERS);
	invariant(r == 1, "OpenSSL knows the ciphers that are offered");
}

/* Gives no passphrase: a key with one is refused instead of prompting. */
static int no_passphrase(char *text _unused_, int size _unused_, int is_writing _unused_,
			 void *userdata _unused_) {
	return 0;
}

static void bio_free(BIO **bio) {
	BIO_free(*bio);
}

static bool use_certificate(SSL_CTX *context, const char *pem) {
	_cleanup_(bio_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL), *link;
	long r = certificate ? SSL_CTX_use_certificate(context, certificate) : 0;

	X509_free(certificate);
	while (r == 1 && (link = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
		r = SSL_CTX_add0_chain_cert(context, link);
		if (r != 1)
			X509_free(link);
	}
	return r == 1;
}

static int use_key(SSL_CTX *context, const char *pem) {
	_cleanup_(bio_free) BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	int r = key ? SSL_CTX_use_PrivateKey(context, key) : 0;

	EVP_PKEY_free(key);
	return r;
}

static const char *reason(void) {
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "it cannot be used";
}

static int use_files(SSL_CTX *context, const char *certificate, const char *private_key,
		     const char **why) {
	ERR_clear_error();
	if (!use_certificate(context, certificate)) {
		*why = reason();
		return HTTP_TLS_E_CERTIFICATE;
	}
	ERR_clear_error(); /* the end of the chain leaves an error in the queue */
	if (use_key(context, private_key) == 1 && SSL_CTX_check_private_key(context) == 1)
		return 0;
	*why = reason();
	return HTTP_TLS_E_KEY;
}

static int context_new(const char *certificate, const char *private_key, SSL_CTX **out,
		       const char **why) {
	SSL_CTX *context = x_checked(SSL_CTX_new(TLS_server_method()));
	int r;

	set_rules(context);
	r = use_files(context, certificate, private_key, why);
	ERR_clear_error();
	if (r)
		SSL_CTX_free(context);
	else
		*out = context;
	return r;
}

int http_tls_new(const char *certificate, const char *private_key, struct http_tls **out,
		 const char **why) {
	SSL_CTX *context;
	int r = context_new(certificate, private_key, &context, why);

	if (r)
		return r;
	*out = x_calloc(1, sizeof(**out));
	pthread_mutex_init(&(*out)->mutex, NULL);
	(*out)->context = context;
	return 0;
}

int http_tls_reload(struct http_tls *tls, const char *certificate, const char *private_key,
		    const char **why) {
	SSL_CTX *context, *before;
	int r = context_new(certificate, private_key, &context, why);

	if (r)
		return r;
	pthread_mutex_lock(&tls->mutex);
	before = tls->context;
	tls->context = context;
	pthread_mutex_unlock(&tls->mutex);
	SSL_CTX_free(before);
	return 0;
}

int64_t http_tls_expires_s(struct http_tls *tls) {
	struct tm end = { 0 };
	int r;

	pthread_mutex_lock(&tls->mutex);
	r = ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(tls->context)), &end);
	pthread_mutex_unlock(&tls->mutex);
	return r == 1 ? timegm(&end) : 0;
}

void http_tls_free(struct http_tls *tls) {
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	pthread_mutex_destroy(&tls->mutex);
	free(tls);
}

struct http_tls_session *http_tls_session_new(struct http_tls *tls, int fd) {
	struct http_tls_session *session = x_calloc(1, sizeof(*session));

	pthread_mutex_lock(&tls->mutex);
	session->ssl = x_checked(SSL_new(tls->context));
	pthread_mutex_unlock(&tls->mutex);
	if (SSL_set_fd(session->ssl, fd) != 1)
		out_of_memory();
	SSL_set_accept_state(session->ssl);
	return session;
}

void http_tls_session_free(struct http_tls_session *session) {
	if (!session)
		return;
	SSL_free(session->ssl);
	free(session);
}

static int result_of(struct http_tls_session *session, int r) {
	switch (SSL_get_error(session->ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		session->failed = true;
		return -EIO;
	}
}

int http_tls_handshake(struct http_tls_session *session) {
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(session->ssl);
	if (r == 1)
		return 0;
	r = result_of(session, r);
	return r ? r : -EIO;
}

ssize_t http_tls_read(struct http_tls_session *session, void *bytes, size_t len) {
	int r;

	ERR_clear_error();
	r = SSL_read(session->ssl, bytes, (int)MIN(len, (size_t)INT_MAX));
	return r > 0 ? r : result_of(session, r);
}

ssize_t http_tls_write(struct http_tls_session *session, const void *bytes, size_t len) {
	int r;

	ERR_clear_error();
	r = SSL_write(session->ssl, bytes, (int)MIN(len, (size_t)INT_MAX));
	if (r > 0)
		return r;
	r = result_of(session, r);
	return r ? r : -EIO;
}

void http_tls_close(struct http_tls_session *session) {
	ERR_clear_error();
	if (!session->failed && SSL_is_init_finished(session->ssl))
		(void)SSL_shutdown(session->ssl);
}
