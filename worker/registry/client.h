/*
 * HTTP to the schema registry: one request at a time, at each of its urls in turn until one
 * answers, first at the one that answered last. One thread at a time; a request takes at most
 * schema.registry.timeout for each url.
 */
#pragma once

#include "base/buffer.h"
#include "base/config.h"

#include <stdatomic.h>

struct registry_client;

enum { CLIENT_ANSWER_MAX = 4 * 1024 * 1024, CLIENT_E_REFUSED = 1, CLIENT_E_FAILED = 2 };

/* `config` and `stopping` are borrowed; once the latter is set, a request ends at once. Returns 0,
 * or CLIENT_E_REFUSED where the credentials cannot be read. */
int registry_client_new(const struct config *config, const atomic_bool *stopping,
			struct registry_client **out, struct buffer *why) _must_check_;
void registry_client_free(struct registry_client *client);
DEFINE_CLEANUP(struct registry_client, registry_client_free)

/*
 * GET, or, where `json` is not NULL, POST of it. Returns 0 with the status and the body of an
 * answer of the registry's own: 200, 404, 409 or 422. CLIENT_E_FAILED, with the url and the reason,
 * where none has come: the same may succeed later.
 */
int registry_client_call(struct registry_client *client, const char *path, const char *json,
			 long *status, struct buffer *body, struct buffer *why) _must_check_;
