#include "delivery_tls_server.h"

#include "base/memory.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { DAY_S = 24 * 3600 };

static struct {
	EVP_PKEY *key;
	X509 *certificate;
	char file[64];
} authority;

static void check(bool ok) {
	if (!ok)
		abort();
}

static void add_extension(X509 *certificate, int nid, const char *value) {
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	check(extension && X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

/* Unsigned; its subject and issuer are `name` and `issuer`. */
static X509 *certificate_new(const char *name, const char *issuer, EVP_PKEY *key, long begins_s,
			     long ends_s) {
	static long serial = 1;
	X509 *certificate = X509_new();

	check(certificate && X509_set_version(certificate, 2) &&
	      ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++) &&
	      X509_gmtime_adj(X509_getm_notBefore(certificate), begins_s) &&
	      X509_gmtime_adj(X509_getm_notAfter(certificate), ends_s) &&
	      X509_set_pubkey(certificate, key));
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(certificate), "CN", MBSTRING_ASC,
				   (const unsigned char *)issuer, -1, -1, 0);
	return certificate;
}

static void remove_file(void) {
	unlink(authority.file);
	X509_free(authority.certificate);
	EVP_PKEY_free(authority.key);
}

static void authority_make(void) {
	FILE *file;
	int fd;

	authority.key = EVP_EC_gen("P-256");
	authority.certificate =
	    certificate_new("authority", "authority", authority.key, -DAY_S, DAY_S);
	add_extension(authority.certificate, NID_basic_constraints, "critical,CA:TRUE");
	check(X509_sign(authority.certificate, authority.key, EVP_sha256()) > 0);
	strcpy(authority.file, "/tmp/posthorn-authority-XXXXXX");
	fd = mkstemp(authority.file);
	check(fd >= 0);
	file = fdopen(fd, "w");
	check(file && PEM_write_X509(file, authority.certificate) && fclose(file) == 0 &&
	      atexit(remove_file) == 0);
}

char *tls_authority_file(void) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, authority_make);
	return authority.file;
}

static X509 *certificate_of(enum certificate kind, EVP_PKEY *key) {
	bool is_of_nobody = kind == CERTIFICATE_OF_NOBODY, is_expired = kind == CERTIFICATE_EXPIRED;
	X509 *certificate =
	    certificate_new("server", is_of_nobody ? "server" : "authority", key,
			    is_expired ? -2 * DAY_S : -DAY_S, is_expired ? -DAY_S : DAY_S);

	add_extension(certificate, NID_subject_alt_name,
		      kind == CERTIFICATE_OF_ANOTHER_NAME
			  ? "DNS:another.example"
			  : "IP:127.0.0.1,IP:127.0.0.2,DNS:dot.test");
	check(X509_sign(certificate, is_of_nobody ? key : authority.key, EVP_sha256()) > 0);
	return certificate;
}

static char *text_of(BIO *bio) {
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = x_strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

void tls_client_new(const char *name, char **certificate, char **key) {
	BIO *certificate_text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *made;

	tls_authority_file();
	made = certificate_new(name, "authority", pair, -DAY_S, DAY_S);
	check(X509_sign(made, authority.key, EVP_sha256()) > 0 &&
	      PEM_write_bio_X509(certificate_text, made) &&
	      PEM_write_bio_PrivateKey(key_text, pair, NULL, NULL, 0, NULL, NULL));
	*certificate = text_of(certificate_text);
	*key = text_of(key_text);
	X509_free(made);
	EVP_PKEY_free(pair);
}

SSL_CTX *tls_server_new(const struct tls_server_options *options) {
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate;

	tls_authority_file();
	check(context && key);
	certificate = certificate_of(options->certificate, key);
	if (options->version) {
		SSL_CTX_set_security_level(context, 0);
		check(SSL_CTX_set_min_proto_version(context, options->version) &&
		      SSL_CTX_set_max_proto_version(context, options->version));
	}
	check(SSL_CTX_use_certificate(context, certificate) == 1 &&
	      SSL_CTX_use_PrivateKey(context, key) == 1);
	if (options->wants_certificate) {
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
		check(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.certificate) &&
		      SSL_CTX_set_session_id_context(context, (const uint8_t *)"test", 4));
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}
