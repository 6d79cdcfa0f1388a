/* The headers of a record, and how many bytes they take in it. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stddef.h>

struct headers {
	rd_kafka_headers_t *list; /* NULL: none */
	size_t bytes;             /* of names, values and lengths, at most */
};

/* More than what handing on (reroute.h), going on (resume.h) and `dead-letters replay` add. */
enum { HEADERS_ADDED_MAX = 512 };

/* Those of a message that was read, which keeps them. */
struct headers headers_of(const rd_kafka_message_t *message);
/* The bytes of those that its producer gave it: without the ones named posthorn.*, of which
 * HEADERS_ADDED_MAX are not counted. */
size_t headers_given_bytes(const rd_kafka_message_t *message);
/* The caller owns the copy's list. */
struct headers headers_copy(const struct headers *headers);

/* Adds a copy of one; `len` -1: of a string. The caller owns the list. */
void headers_add(struct headers *headers, const char *name, const char *value, ssize_t len);
