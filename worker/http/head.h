/*
 * The head of an HTTP/1.1 request: a pure and strict function of its bytes.
 *
 *     bytes ──► http_head_find ──► length ──► http_head_parse ──► method, path, fields, framing
 *
 * Of two programs in a row, the second must not read another request than the first. So nothing is
 * repaired or guessed: a line ends with CRLF and nothing else; a name is a token with the colon
 * right behind it; a value has no control character and no second line; the framing of the body is
 * given once and in one form. Everything else is refused.
 *
 * Source: RFC 9112 sections 2 to 7, RFC 9110 sections 4, 5 and 7.
 */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	HTTP_HEAD_MAX = 16 * 1024, /* bytes, with the empty line */
	HTTP_TARGET_MAX = 8 * 1024,
	HTTP_PARAMETERS_MAX = 100, /* of the query */
	HTTP_FIELDS_MAX = 100,
	HTTP_HOST_MAX = 255,
};

/* A piece of bytes that another buffer holds. */
struct http_portion {
	const char *bytes;
	size_t len;
};

struct http_header {
	const char *name;
	const char *value; /* without surrounding blanks */
};

enum http_framing { HTTP_FRAMING_NONE, HTTP_FRAMING_LENGTH, HTTP_FRAMING_CHUNKED };

/* The reason why a head is refused. */
struct http_refusal {
	int status; /* 400, 413, 414, 417, 431, 501 or 505 */
	const char *message;
};

struct http_head {
	const char *method;
	const char *path;  /* as sent, without decoding; "*" for OPTIONS * */
	const char *query; /* without the "?"; NULL: none */
	/* For comparison: in lower case, without the port and without a dot at its end; from the
	 * target where it has a host, else from the Host header. */
	char host[HTTP_HOST_MAX + 1];
	struct http_header fields[HTTP_FIELDS_MAX];
	size_t field_count;
	enum http_framing framing;
	uint64_t content_length; /* bytes; 0 for another framing */
	bool expects_continue;
	bool closes; /* HTTP/1.0, or Connection: close */
};

enum { HTTP_HEAD_E_REFUSED = 1 };

/*
 * Finds the end of a head in `bytes`. `*scanned` is 0 for a new head, and kept between calls with
 * more of its bytes. Returns its length with the empty line; 0 while it is incomplete;
 * -HTTP_HEAD_E_REFUSED with `*why` as soon as it cannot become valid.
 */
ssize_t http_head_find(const char *bytes, size_t len, size_t *scanned,
		       struct http_refusal *why) _must_check_;

/*
 * Parses a head of the length that http_head_find returned, in place: `out` points into `bytes`.
 * Returns 0, or HTTP_HEAD_E_REFUSED with `*why`; then `out` has only the fields before the fault.
 */
int http_head_parse(char *bytes, size_t len, struct http_head *out,
		    struct http_refusal *why) _must_check_;

/* The first value of the field, in any case of its name, or NULL; and the number of such fields. */
const char *http_head_field(const struct http_head *head, const char *name);
size_t http_head_field_count(const struct http_head *head, const char *name);
