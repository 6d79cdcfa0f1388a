/*
 * Why a TLS handshake with a broker failed. librdkafka tells only that one did; the certificate's
 * fault is known to the function that verifies it.
 */
#pragma once

#include <librdkafka/rdkafka.h>

/* A client made from `conf` keeps the fault of the last certificate that was refused. What is
 * refused does not change. */
void handshake_watch(rd_kafka_conf_t *conf);

/*
 * The cause in an operator's words: an authority that is not trusted, a certificate that has
 * expired, another name, plain text. `reason` is librdkafka's, of an error callback. NULL: it is
 * not known. Of the client of any thread.
 */
const char *handshake_cause(const char *reason);
