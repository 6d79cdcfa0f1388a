#include "delivery/tls.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/*
 * Records and messages of a connection's handshakes; a full handshake has less than 40. OpenSSL
 * reads on without returning while a peer sends messages that it ignores (HelloRequest) or does not
 * answer (NewSessionTicket). Without a bound such a peer could hold the thread for ever.
 */
enum { HANDSHAKE_PARTS_MAX = 512 };

/* The certificates of a store, as one value: in any order the same ones have the same. */
struct sum {
	uint8_t bytes[EVP_MAX_MD_SIZE];
};

struct tls_authorities {
	pthread_mutex_t mutex; /* guards store and sum; the store itself is immutable and counted */
	X509_STORE *store;
	struct sum sum;
	_Atomic int64_t changed_us; /* monotonic; 0: never */
};

static int parts_index = -1; /* of an SSL's data: the number of parts so far */
static int watch_index = -1; /* of an SSL_CTX's data: its watch, or NULL */

/* The other alerts end no connection, or end it in order: close_notify, user_canceled,
 * no_renegotiation. Source: RFC 8446 section 6.1, RFC 5246 section 7.2.2. */
static bool is_alert_of_a_failure(uint8_t alert) {
	return alert != SSL3_AD_CLOSE_NOTIFY && alert != TLS1_AD_USER_CANCELLED &&
	       alert != TLS1_AD_NO_RENEGOTIATION;
}

/* Source: RFC 8446 section 6, RFC 5246 section 7.2, RFC 6066 section 9, RFC 7301 section 3.2, RFC
 * 7507 section 3. */
const char *tls_alert_name(uint8_t alert) {
	static const char *const names[UINT8_MAX + 1] = {
		[10] = "unexpected_message",
		[20] = "bad_record_mac",
		[21] = "decryption_failed",
		[22] = "record_overflow",
		[30] = "decompression_failure",
		[40] = "handshake_failure",
		[42] = "bad_certificate",
		[43] = "unsupported_certificate",
		[44] = "certificate_revoked",
		[45] = "certificate_expired",
		[46] = "certificate_unknown",
		[47] = "illegal_parameter",
		[48] = "unknown_ca",
		[49] = "access_denied",
		[50] = "decode_error",
		[51] = "decrypt_error",
		[60] = "export_restriction",
		[70] = "protocol_version",
		[71] = "insufficient_security",
		[80] = "internal_error",
		[86] = "inappropriate_fallback",
		[109] = "missing_extension",
		[110] = "unsupported_extension",
		[111] = "certificate_unobtainable",
		[112] = "unrecognized_name",
		[113] = "bad_certificate_status_response",
		[114] = "bad_certificate_hash_value",
		[115] = "unknown_psk_identity",
		[116] = "certificate_required",
		[120] = "no_application_protocol",
	};

	return names[alert] ? names[alert] : "unknown";
}

/* An alert is two bytes: level and description. */
static void note_alert(bool is_ours, const uint8_t *bytes, size_t len, SSL *ssl) {
	struct tls_watch *watch = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), watch_index);

	if (!watch || len != 2 || !is_alert_of_a_failure(bytes[1]))
		return;
	watch->alert = bytes[1];
	watch->alert_is_ours = is_ours;
}

static bool is_of_handshake(int content_type, const SSL *ssl) {
	return content_type == SSL3_RT_HANDSHAKE || SSL_in_init(ssl);
}

/* A connection with too many messages is treated as closed: OpenSSL's next read finds its end. */
static void on_message(int sent, int version _unused_, int content_type, const void *bytes,
		       size_t len, SSL *ssl, void *userdata _unused_) {
	uintptr_t parts;

	if (content_type == SSL3_RT_ALERT)
		note_alert(sent, bytes, len, ssl);
	if (sent || !is_of_handshake(content_type, ssl))
		return;
	parts = (uintptr_t)SSL_get_ex_data(ssl, parts_index) + 1;
	SSL_set_ex_data(ssl, parts_index, (void *)parts);
	if (parts > HANDSHAKE_PARTS_MAX)
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
}

static int log_no_authorities(const char *file) {
	log_error("no certificates of authorities", "key=endpoint.ca.file file=%s error=%s",
		  log_quote(file),
		  log_quote(access(file, R_OK) < 0
				? strerror(errno)
				: ERR_reason_error_string(ERR_peek_last_error())));
	ERR_clear_error();
	return -EINVAL;
}

static const char *default_file(CURL *easy) {
	char *file = NULL;

	return curl_easy_getinfo(easy, CURLINFO_CAINFO, &file) == CURLE_OK && file ? file : "";
}

static int load_authorities(X509_STORE *store, const char *file) {
	CURL *easy = x_checked(curl_easy_init());
	int r = 0;

	file = file ? file : default_file(easy);
	if (X509_STORE_load_file(store, file) != 1)
		r = log_no_authorities(file);
	curl_easy_cleanup(easy);
	return r;
}

static int store_new(const char *file, X509_STORE **out) {
	X509_STORE *store = x_checked(X509_STORE_new());
	int r;

	/* As curl does: every certificate of the file is trusted, a root or not. */
	X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	r = load_authorities(store, file);
	if (r)
		X509_STORE_free(store);
	else
		*out = store;
	return r;
}

/* Nobody else has the store yet: the list of its objects has no lock. */
static struct sum sum_of(X509_STORE *store) {
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	struct sum sum = { 0 };

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		uint8_t digest[EVP_MAX_MD_SIZE];
		unsigned len = 0;

		if (certificate && X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
			out_of_memory();
		for (unsigned k = 0; k < len; k++)
			sum.bytes[k] ^= digest[k];
	}
	return sum;
}

int tls_authorities_new(const char *file, struct tls_authorities **out) {
	X509_STORE *store;
	int r;

	if (parts_index < 0)
		parts_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (watch_index < 0)
		watch_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (parts_index < 0 || watch_index < 0)
		out_of_memory();
	r = store_new(file, &store);
	if (r)
		return r;
	*out = x_calloc(1, sizeof(**out));
	pthread_mutex_init(&(*out)->mutex, NULL);
	(*out)->store = store;
	(*out)->sum = sum_of(store);
	return 0;
}

void tls_authorities_free(struct tls_authorities *authorities) {
	if (!authorities)
		return;
	X509_STORE_free(authorities->store);
	pthread_mutex_destroy(&authorities->mutex);
	free(authorities);
}

int tls_authorities_reload(struct tls_authorities *authorities, const char *file) {
	X509_STORE *store, *before;
	struct sum sum;
	int r = store_new(file, &store);

	if (r)
		return r;
	sum = sum_of(store);
	pthread_mutex_lock(&authorities->mutex);
	before = authorities->store;
	authorities->store = store;
	/* Behind the store: whoever reads the new time trusts the new store. */
	if (memcmp(&sum, &authorities->sum, sizeof(sum)) != 0)
		atomic_store(&authorities->changed_us, clock_monotonic_us());
	authorities->sum = sum;
	pthread_mutex_unlock(&authorities->mutex);
	X509_STORE_free(before);
	return 0;
}

int64_t tls_authorities_changed_us(const struct tls_authorities *authorities) {
	return atomic_load(&authorities->changed_us);
}

/* The context counts the store, which outlives a reload there. */
static void trust(SSL_CTX *context, struct tls_authorities *authorities) {
	pthread_mutex_lock(&authorities->mutex);
	SSL_CTX_set1_cert_store(context, authorities->store);
	pthread_mutex_unlock(&authorities->mutex);
}

/* Gives no passphrase, instead of prompting for one. */
static int no_passphrase(char *text _unused_, int size _unused_, int is_writing _unused_,
			 void *userdata _unused_) {
	return -1;
}

/* Whether the reader has come to the end of its text, and not to a block that is cut off. */
static bool is_at_end(void) {
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool takes_certificate(SSL_CTX *context, BIO *text) {
	X509 *certificate = PEM_read_bio_X509(text, NULL, no_passphrase, NULL), *link;
	bool ok = certificate && SSL_CTX_use_certificate(context, certificate) == 1;

	X509_free(certificate);
	if (!ok)
		return false;
	while ((link = PEM_read_bio_X509(text, NULL, no_passphrase, NULL)))
		X509_free(link);
	ok = is_at_end();
	if (ok)
		ERR_clear_error();
	return ok;
}

/* OpenSSL keeps a key of another kind than the certificate's beside it, and compares only when it
 * is asked. */
static bool takes_key(SSL_CTX *context, BIO *text) {
	EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, no_passphrase, NULL);
	bool ok = key && SSL_CTX_use_PrivateKey(context, key) == 1 &&
		  SSL_CTX_check_private_key(context) == 1;

	EVP_PKEY_free(key);
	return ok;
}

/* In seconds since 1970. */
static int64_t expiry_of(const SSL_CTX *context) {
	struct tm end = { 0 };

	return ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context)), &end) == 1
		   ? timegm(&end)
		   : 0;
}

int tls_judge_pair(const char *certificate, const char *key, int64_t *expires_s, const char **why) {
	SSL_CTX *context = x_checked(SSL_CTX_new(TLS_client_method()));
	BIO *certificate_text = x_checked(BIO_new_mem_buf(certificate, -1)),
	    *key_text = x_checked(BIO_new_mem_buf(key, -1));
	int r = 0;

	ERR_clear_error();
	if (!takes_certificate(context, certificate_text))
		r = TLS_E_CERTIFICATE;
	else if (!takes_key(context, key_text))
		r = TLS_E_KEY;
	*expires_s = r ? 0 : expiry_of(context);
	*why = r ? ERR_reason_error_string(ERR_peek_last_error()) : NULL;
	*why = r && !*why ? "cannot be used" : *why;
	ERR_clear_error();
	BIO_free(key_text);
	BIO_free(certificate_text);
	SSL_CTX_free(context);
	return r;
}

CURLcode tls_on_context(CURL *easy _unused_, void *context, void *userdata) {
	struct tls_watch *watch = userdata;

	trust(context, watch->authorities);
	SSL_CTX_set_msg_callback(context, on_message);
	tls_watch_end(watch);
	if (SSL_CTX_up_ref(context) != 1 || SSL_CTX_set_ex_data(context, watch_index, watch) != 1)
		out_of_memory();
	watch->context = context;
	return CURLE_OK;
}

const char *tls_version(CURL *easy) {
	const struct curl_tlssessioninfo *session = NULL;

	return curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session &&
		       session->internals
		   ? SSL_get_version(session->internals)
		   : NULL;
}

void tls_watch_end(struct tls_watch *watch) {
	if (watch->context)
		SSL_CTX_set_ex_data(watch->context, watch_index, NULL);
	SSL_CTX_free(watch->context);
	*watch = (struct tls_watch){ .authorities = watch->authorities };
}
