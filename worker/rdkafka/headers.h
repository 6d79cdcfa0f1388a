/* The headers of a record. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stddef.h>

/*
 * How many there are, and in `*bytes` how much they take in a record, at most: names, values and
 * lengths. NULL: none.
 */
size_t headers_measure(const rd_kafka_headers_t *headers, size_t *bytes);

/* The same of a message that was read. */
size_t headers_measure_message(const rd_kafka_message_t *message, size_t *bytes);
