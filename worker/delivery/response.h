/*
 * What is kept of a response while it comes in: the status, Retry-After, and how much there was.
 * The verdict falls when the final header block is complete; nothing that follows changes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RESPONSE_HEADER_LINES_MAX = 128,
	RESPONSE_HEADER_BYTES_MAX = 64 * 1024,
	RESPONSE_BODY_BYTES_MAX = 64 * 1024
};

struct response {
	int32_t status; /* of the final header block; 0 before it is complete */
	bool excessive; /* more header than we read */
	int header_lines;
	size_t header_bytes;
	size_t body_bytes;
	int64_t retry_after_ms; /* -1: none */
	int64_t completed_us;   /* monotonic: when the verdict fell */
};

#define RESPONSE_INIT ((struct response){ .retry_after_ms = -1 })

/* Takes a header line with its line end, status lines and trailers included. Returns false when the
 * response is to be read no further. */
bool response_take_header(struct response *response, const char *line, size_t len);

/* The block that just ended was that of `status`. Returns false when the response is to be read no
 * further. */
bool response_end_header(struct response *response, long status, int64_t now_us);

/* The same for a piece of the body. */
bool response_take_body(struct response *response, size_t len);

/* Whether the line is the empty one that ends a block. */
bool response_is_header_end(const char *line, size_t len);
