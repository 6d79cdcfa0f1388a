#include "rdkafka/headers.h"

#include "base/memory.h"

#include <string.h>

enum {
	OVERHEAD = 10, /* bytes of two lengths, at most */
	ROOM = 2,      /* as most events have; there may be more */
};

static size_t bytes_of(const char *name, size_t len) {
	return strlen(name) + len + OVERHEAD;
}

/* Those whose names begin so. */
static size_t sum(const rd_kafka_headers_t *list, const char *begin) {
	const char *name;
	const void *value;
	size_t len, bytes = 0;

	for (size_t i = 0; !rd_kafka_header_get_all(list, i, &name, &value, &len); i++)
		if (strncmp(name, begin, strlen(begin)) == 0)
			bytes += bytes_of(name, len);
	return bytes;
}

struct headers headers_of(const rd_kafka_message_t *message) {
	struct headers headers = { 0 };

	if (rd_kafka_message_headers(message, &headers.list))
		return (struct headers){ 0 };
	headers.bytes = sum(headers.list, "");
	return headers;
}

size_t headers_given_bytes(const rd_kafka_message_t *message) {
	struct headers headers = headers_of(message);

	if (!headers.list)
		return 0;
	return headers.bytes - MIN(sum(headers.list, "posthorn."), (size_t)HEADERS_ADDED_MAX);
}

struct headers headers_copy(const struct headers *headers) {
	return (struct headers){ headers->list ? rd_kafka_headers_copy(headers->list) : NULL,
				 headers->bytes };
}

void headers_add(struct headers *headers, const char *name, const char *value, ssize_t len) {
	if (!headers->list)
		headers->list = rd_kafka_headers_new(ROOM);
	rd_kafka_header_add(headers->list, name, -1, value, len);
	headers->bytes += bytes_of(name, len < 0 ? strlen(value) : (size_t)len);
}
