/*
 * The master key: 32 random bytes in a file of mode 0600, from which every tenant's signing keys are derived. Locked in memory, wiped at the end.
 * File format: one line, base64url without padding of the 32 bytes. Its id is the first 16 characters of base64url(BLAKE2b-256 of the bytes under a purpose).
 */
#pragma once

#include "base/buffer.h"

struct master_key;

enum { MASTER_KEY_E_REFUSED = 1 };

/* Returns 0; MASTER_KEY_E_REFUSED with a sentence in `why` (missing, wrong mode or owner, not a key); or a negative errno. */
int master_key_load(const char *path, struct master_key **out, struct buffer *why) _must_check_;
void master_key_free(struct master_key *key);
DEFINE_CLEANUP(struct master_key, master_key_free)

const char *master_key_id(const struct master_key *key);

/* Writes a new random key to `path` (mode 0600), never over a file that exists. Same returns. */
int master_key_generate(const char *path, struct buffer *why) _must_check_;
