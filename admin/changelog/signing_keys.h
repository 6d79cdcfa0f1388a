/* A tenant's keys out of the folded changelog. */
#pragma once

#include "avro/codec.h"
#include "changelog/state_fold.h"

struct signing_keys {
	struct signing_key *items; /* in the arena; the signing one (highest epoch) first */
	size_t count;
	size_t unreadable; /* said on stderr */
};

/* Those that have not expired at `now_ms`. */
void signing_keys_take(struct signing_keys *keys, struct arena *arena, struct codec *codec,
		       struct state_fold *fold, int64_t now_ms);

/* {"keys":[...]} and a newline. Source: RFC 7517 section 5. */
void signing_keys_append_jwks(struct buffer *out, const struct signing_keys *keys);
