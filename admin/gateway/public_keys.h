/* The tenants' public keys: the key records of the changelog, in memory, folded by the code of
 * `jwks show`. A query needs neither Kafka nor a worker. */
#pragma once

#include "avro/codec.h"
#include "gateway/etag.h"
#include "kafka/reader.h"

#include <stdbool.h>

struct public_keys;

/* Borrows the codec. */
struct public_keys *public_keys_new(struct codec *codec);
void public_keys_free(struct public_keys *keys);
DEFINE_CLEANUP(struct public_keys, public_keys_free)

/* Applies a record of the changelog, of any kind. Call it on one thread. */
void public_keys_apply(struct public_keys *keys, const struct record *record);

/* A JWK set, as text. */
struct public_key_set {
	const char *text; /* in the arena */
	size_t len;
	bool is_empty;
	char etag[ETAG_SIZE]; /* with quotes */
};

enum { PUBLIC_KEYS_E_TOO_LARGE = 1 };

/* The set of keys that have not expired at `now_ms` (wall); an empty set for a tenant without keys.
 * Returns 0, or PUBLIC_KEYS_E_TOO_LARGE. Any thread. */
int public_keys_get(struct public_keys *keys, struct arena *arena, const char *tenant_id,
		    int64_t now_ms, struct public_key_set *out) _must_check_;
