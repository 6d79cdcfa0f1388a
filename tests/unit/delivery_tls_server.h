/* Certificates of an authority that is made when a test begins, good and bad, and servers that show
 * them. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

enum certificate {
	CERTIFICATE_GOOD, /* of 127.0.0.1, 127.0.0.2 and dot.test */
	CERTIFICATE_EXPIRED,
	CERTIFICATE_OF_ANOTHER_NAME,
	CERTIFICATE_OF_NOBODY, /* signed by itself */
};

struct tls_server_options {
	enum certificate certificate;
	int version; /* the only one that it speaks, TLS1_1_VERSION; 0: what OpenSSL likes */
	bool wants_certificate; /* of the client, and of this authority; else the handshake fails */
};

/* Owned by the caller. */
SSL_CTX *tls_server_new(const struct tls_server_options *options);

/* A client's certificate of this name and its key as PEM; both owned by the caller. */
void tls_client_new(const char *name, char **certificate, char **key);

/* The PEM file of the authority, for endpoint.ca.file: owned by this module, and gone when the
 * process ends. */
char *tls_authority_file(void);
