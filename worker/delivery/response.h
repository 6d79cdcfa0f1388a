/*
 * A response as it comes in: its status, Retry-After and size are kept. The verdict is decided when
 * the final header block is complete; nothing after it changes the verdict.
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
	bool excessive; /* the header is beyond the limits */
	int header_lines;
	size_t header_bytes;
	size_t body_bytes;
	int64_t retry_after_ms; /* -1: none */
	int64_t completed_us;   /* monotonic: when the final header block was complete */
};

#define RESPONSE_INIT ((struct response){ .retry_after_ms = -1 })

/* Takes a header line with its line end; status lines and trailers too. Returns false when the
 * response is to be read no further. */
bool response_take_header(struct response *response, const char *line, size_t len);

/* A header block with this status ended. Returns false when the response is to be read no further.
 */
bool response_end_header(struct response *response, long status, int64_t now_us);

/* Counts a piece of the body. Returns false when the response is to be read no further. */
bool response_take_body(struct response *response, size_t len);

/* Whether the line is the empty one that ends a header block. */
bool response_is_header_end(const char *line, size_t len);
