#include "rdkafka/headers.h"

#include <string.h>

enum { OVERHEAD = 10 }; /* bytes of two lengths, at most */

size_t headers_measure(const rd_kafka_headers_t *headers, size_t *bytes) {
	const char *name;
	const void *value;
	size_t count = 0, len;

	*bytes = 0;
	while (headers && !rd_kafka_header_get_all(headers, count, &name, &value, &len)) {
		*bytes += strlen(name) + len + OVERHEAD;
		count++;
	}
	return count;
}

size_t headers_measure_message(const rd_kafka_message_t *message, size_t *bytes) {
	rd_kafka_headers_t *headers;

	*bytes = 0;
	return rd_kafka_message_headers(message, &headers) ? 0 : headers_measure(headers, bytes);
}
