/*
 * The chunked transfer coding, read strictly and without memory of its own.
 *
 *     size ──► (extension) ──► CR LF ──► data ──► CR LF ──► size ...
 *       │ 0
 *       └───► (extension) ──► CR LF ──► (trailer line CR LF)... ──► CR LF ──► end
 *
 * Lines end with CR LF and with nothing else. Extensions and trailers are read, bounded and
 * dropped: a trailer is never a header. Source: RFC 9112 section 7.1.
 */
#pragma once

#include "http/head.h"

enum { HTTP_CHUNKED_EXTRA_MAX = 4 * 1024 /* bytes of all extensions and trailers of a body */ };

/* Zero it at the beginning of a body. */
struct http_chunked {
	int state;
	uint64_t left; /* bytes of this chunk, or its size while it is read */
	unsigned digits;
	size_t extra; /* bytes of extensions and trailers so far */
};

enum http_chunked_result {
	HTTP_CHUNKED_MORE,
	HTTP_CHUNKED_DATA,
	HTTP_CHUNKED_END,
	HTTP_CHUNKED_REFUSED
};

/*
 * Continues in `bytes`; `*used` is how many were consumed. MORE: all were, and more are needed.
 * DATA: `*out` is the next piece; repeat the call with the rest. END: the body is complete, and the
 * rest is not part of it. REFUSED, with `*why`: nothing behind the fault is valid. A chunk larger
 * than `chunk_max` bytes is refused with 413.
 */
enum http_chunked_result http_chunked_read(struct http_chunked *chunked, uint64_t chunk_max,
					   struct http_portion bytes, size_t *used,
					   struct http_portion *out,
					   struct http_refusal *why) _must_check_;
