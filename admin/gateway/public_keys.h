/*
 * The tenants' public keys, as the changelog has them: a replica in memory of its key records alone, folded by the same code as `jwks show`. What is answered from
 * it asks nobody.
 */
#pragma once

#include "base/arena.h"
#include "base/config.h"
#include "terminal/status.h"

#include <stdbool.h>

struct public_keys;

enum admin_status public_keys_start(const struct config *config, int64_t timeout_ms, struct public_keys **out) _must_check_;
void public_keys_stop(struct public_keys *keys);
DEFINE_CLEANUP(struct public_keys, public_keys_stop)

/* Whether the changelog has been read to the end that it had at the start. */
bool public_keys_ready(const struct public_keys *keys);
bool public_keys_failing(const struct public_keys *keys);

enum { ETAG_SIZE = 32 };

/* A JWK set, as text. */
struct public_key_set {
	const char *text; /* in the arena */
	size_t len;
	bool is_empty;
	char etag[ETAG_SIZE]; /* with its quotes */
};

/* Of those that have not expired at `now_ms` (wall); a tenant without keys has an empty set. Any thread. */
void public_keys_get(struct public_keys *keys, struct arena *arena, const char *tenant_id, int64_t now_ms, struct public_key_set *out);
