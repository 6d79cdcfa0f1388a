#include "rdkafka/handshake.h"

#include "base/memory.h"

#include <openssl/x509_vfy.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int last_fault; /* OpenSSL's X509_V_ERR_*; 0: none */

/* The signature is librdkafka's. NOLINTNEXTLINE(readability-function-size) */
static int on_certificate(rd_kafka_t *client _unused_, const char *broker _unused_,
			  int32_t broker_id _unused_, int *fault, int depth _unused_,
			  const char *der _unused_, size_t size _unused_, char *error _unused_,
			  size_t error_size _unused_, void *opaque _unused_) {
	if (*fault != X509_V_OK)
		atomic_store(&last_fault, *fault);
	return *fault == X509_V_OK;
}

void handshake_watch(rd_kafka_conf_t *conf) {
	/* Refused only by a librdkafka without TLS, where there is nothing to watch. */
	(void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
}

static const char *cause_of_fault(int fault) {
	switch (fault) {
	case X509_V_OK:
		return NULL;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "the TLS handshake fails: the brokers' certificate, or its authority's, has "
		       "expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "the TLS handshake fails: the brokers' certificate is not valid yet; is a "
		       "clock wrong?";
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "the TLS handshake fails: the brokers' certificate has another name than "
		       "kafka.bootstrap.servers, or than the brokers' advertised.listeners";
	default:
		return "the TLS handshake fails: the brokers' certificate is not trusted, since no "
		       "authority of kafka.ssl.ca.location signed it";
	}
}

const char *handshake_cause(const char *reason) {
	static const struct {
		const char *words, *cause;
	} told[] = {
		{ "certificate verify failed", NULL }, /* its fault is kept */
		{ "wrong version number",
		  "the TLS handshake fails: the brokers speak plain text on this port; it is "
		  "another listener's, or kafka.security.protocol is" },
		{ "PLAINTEXT broker listener",
		  "the TLS handshake fails: the brokers speak plain text on this port; it is "
		  "another listener's, or kafka.security.protocol is" },
		{ "alert certificate required",
		  "the TLS handshake fails: the brokers want a client's certificate "
		  "(kafka.ssl.certificate.location)" },
		{ "alert bad certificate",
		  "the TLS handshake fails: the brokers do not take this client's certificate "
		  "(kafka.ssl.certificate.location), or want one" },
	};

	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (strstr(reason, told[i].words))
			return told[i].cause ? told[i].cause
					     : cause_of_fault(atomic_load(&last_fault));
	return NULL;
}
