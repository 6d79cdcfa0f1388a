/* A tenant's signing keys from the folded changelog. */
#pragma once

#include "avro/codec.h"
#include "changelog/state_fold.h"

struct signing_keys {
	struct signing_key *items; /* in the arena; the key that signs (the highest epoch) first */
	size_t count;
	size_t unreadable; /* records, printed on stderr */
};

/* Takes the keys that have not expired at `now_ms` (wall). */
void signing_keys_take(struct signing_keys *keys, struct arena *arena, struct codec *codec,
		       struct state_fold *fold, int64_t now_ms);

/* Appends {"keys":[...]} and a newline. Source: RFC 7517 section 5. */
void signing_keys_append_jwks(struct buffer *out, const struct signing_keys *keys);
