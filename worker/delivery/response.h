/*
 * A response as it comes in: its status, Retry-After, size and first bytes are kept. The verdict is
 * decided when the final header block is complete; nothing after it changes the verdict.
 */
#pragma once

#include "base/buffer.h"

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
	struct buffer excerpt;  /* of an answer that is no success: the body's first bytes */
	int64_t retry_after_ms; /* -1: none */
	int64_t completed_us;   /* monotonic: when the final header block was complete */
};

/* Without an excerpt. */
#define RESPONSE_INIT ((struct response){ .retry_after_ms = -1 })

/* Begins a response anew, with the memory that it has. `excerpt_max`: bytes of the body that are
 * kept. */
void response_reset(struct response *response, size_t excerpt_max);
void response_destroy(struct response *response);

/* Takes a header line with its line end; status lines and trailers too. Returns false when the
 * response is to be read no further. */
bool response_take_header(struct response *response, const char *line, size_t len);

/* A header block with this status ended. Returns false when the response is to be read no further.
 */
bool response_end_header(struct response *response, long status, int64_t now_us);

/* Takes a piece of the body. Returns false when the response is to be read no further. */
bool response_take_body(struct response *response, const char *bytes, size_t len);

/* The excerpt as text, with each control character as \uXXXX and without a character that is cut at
 * its end. NULL where there is none, or it is no text. Owned by the caller. */
char *response_excerpt(const struct response *response);

/* Whether the line is the empty one that ends a header block. */
bool response_is_header_end(const char *line, size_t len);
