/*
 * The head of an HTTP/1.1 request: a pure function of its bytes, and strict.
 *
 *     bytes ──► http_head_find ──► where it ends ──► http_head_parse ──► method, path, host,
 * fields, framing
 *
 * Of two programs in a row the second must read no other request than the first. So nothing is
 * mended or guessed: a line ends with CRLF and with nothing else, a name is a token with the colon
 * right behind it, a value has no control character and goes on in no second line, and what frames
 * the body is there once and in one form. All else is refused.
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

struct http_header {
	const char *name;
	const char *value; /* without the blanks around it */
};

enum http_framing { HTTP_FRAMING_NONE, HTTP_FRAMING_LENGTH, HTTP_FRAMING_CHUNKED };

/* Why a head is refused. */
struct http_refusal {
	int status; /* 400, 413, 414, 417, 431, 501 or 505 */
	const char *message;
};

struct http_head {
	const char *method;
	const char *path;  /* as it was sent: nothing is decoded; "*" for OPTIONS * */
	const char *query; /* behind the "?"; NULL: none */
	/* For comparison: in lower case, without the port and without a dot at its end. That of the
	 * target where it has one. */
	char host[HTTP_HOST_MAX + 1];
	struct http_header fields[HTTP_FIELDS_MAX];
	size_t field_count;
	enum http_framing framing;
	uint64_t content_length; /* bytes; 0 unless that is the framing */
	bool expects_continue;
	bool closes; /* HTTP/1.0, or Connection: close */
};

enum { HTTP_HEAD_E_REFUSED = 1 };

/*
 * Looks for the end of a head in `bytes`. `*scanned` is 0 for a new head, and kept between calls
 * with more of its bytes. Returns its length with the empty line; 0 while it is not whole;
 * -HTTP_HEAD_E_REFUSED with `*why` as soon as it cannot become one.
 */
ssize_t http_head_find(const char *bytes, size_t len, size_t *scanned,
		       struct http_refusal *why) _must_check_;

/*
 * Reads a head in place: what `out` has points into `bytes`, which http_head_find has measured.
 * Returns 0, or HTTP_HEAD_E_REFUSED with `*why`; then of `out` only the fields that came before the
 * fault are there.
 */
int http_head_parse(char *bytes, size_t len, struct http_head *out,
		    struct http_refusal *why) _must_check_;

/* The first value of that name, in any case, or NULL; how many there are. */
const char *http_head_field(const struct http_head *head, const char *name);
size_t http_head_field_count(const struct http_head *head, const char *name);
