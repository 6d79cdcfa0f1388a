/*
 * The tenants' public keys, as the changelog has them: a replica in memory of its key records
 * alone, folded by the same code as `jwks show`. What is answered from it asks nobody.
 */
#pragma once

#include "avro/codec.h"
#include "gateway/etag.h"
#include "kafka/reader.h"

#include <stdbool.h>

struct public_keys;

/* The codec is borrowed. */
struct public_keys *public_keys_new(struct codec *codec);
void public_keys_free(struct public_keys *keys);
DEFINE_CLEANUP(struct public_keys, public_keys_free)

/* A record of the changelog, of any kind; one thread. */
void public_keys_apply(struct public_keys *keys, const struct record *record);

/* A JWK set, as text. */
struct public_key_set {
	const char *text; /* in the arena */
	size_t len;
	bool is_empty;
	char etag[ETAG_SIZE]; /* with its quotes */
};

enum { PUBLIC_KEYS_E_TOO_LARGE = 1 };

/* Of those that have not expired at `now_ms` (wall); a tenant without keys has an empty set.
 * Returns 0, or TOO_LARGE. Any thread. */
int public_keys_get(struct public_keys *keys, struct arena *arena, const char *tenant_id,
		    int64_t now_ms, struct public_key_set *out) _must_check_;
