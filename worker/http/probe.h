/* A question to an operations port of this machine, for the health check of a container. */
#pragma once

#include "base/buffer.h"
#include "base/config.h"

enum { HTTP_PROBE_E_REFUSED = 1 };

/*
 * Asks the server that listens there for `path`, within five seconds. Returns 0 for an answer of
 * 200; HTTP_PROBE_E_REFUSED for any other; or a negative errno. `answer` gets the body.
 */
int http_probe(const struct listen_address *listen, const char *path,
	       struct buffer *answer) _must_check_;
