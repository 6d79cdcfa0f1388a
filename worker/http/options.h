/* The options of a server, and its fixed bounds. */
#pragma once

#include "base/config.h"
#include "http/request.h"

struct http_tls;

enum {
	HTTP_DRAIN_MAX = 4 * 1024 * 1024, /* bytes of an unwanted body that are read, so that the
					     client can read its answer */
	HTTP_LINGER_MS =
	    2000, /* how long a connection waits for its client to end it after the last answer */
};

struct http_options {
	const char *key; /* the configuration key, for messages */
	const struct listen_address *listen;
	unsigned threads;
	unsigned connections_max;
	int64_t client_timeout_ms; /* from opening, or from the first byte, to a whole request; and
				      for reading an answer */
	int64_t idle_timeout_ms;   /* without a request, after an answer */
	size_t body_max;
	struct http_tls *tls;               /* borrowed for the server's life; NULL: plain text */
	const struct http_handler *handler; /* copied */
};
