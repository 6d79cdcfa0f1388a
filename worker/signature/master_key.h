/*
 * The master key: 32 random bytes in a secret file (base/secret_file.h), from which every tenant's
 * signing keys and webhooks' secrets are derived. Locked in memory, wiped when freed.
 *
 * File format: one line, base64url without padding of the 32 bytes. The key's id is the first 16
 * characters of the base64url of BLAKE2b-256, keyed with the bytes, over a purpose.
 */
#pragma once

#include "base/buffer.h"

#include <stdint.h>

struct master_key;

enum { MASTER_KEY_E_REFUSED = 1, MASTER_KEY_SEED_LEN = 32, MASTER_KEY_ID_LEN = 16 };

/* Loads a key. Returns 0; MASTER_KEY_E_REFUSED with a sentence in `why` (missing, a mode or
 * owner that secret_file.h refuses, not a key); or a negative errno. */
int master_key_load(const char *path, struct master_key **out, struct buffer *why) _must_check_;
void master_key_free(struct master_key *key);
DEFINE_CLEANUP(struct master_key, master_key_free)

const char *master_key_id(const struct master_key *key);

/* Writes a new random key to `path` (mode 0600), never over an existing file. Returns as above. */
int master_key_generate(const char *path, struct buffer *why) _must_check_;

/*
 * Derives the Ed25519 seed of a tenant's key pair of an epoch: BLAKE2b-256 keyed with the master
 * key over (purpose, master key id, tenant, epoch), each text behind its length. The caller wipes
 * it. Source: RFC 7693 section 2.9 (keyed BLAKE2b).
 */
void master_key_derive_seed(const struct master_key *key, const char *tenant_id, int32_t epoch,
			    uint8_t seed[MASTER_KEY_SEED_LEN]);

/* The same way, with purposes of their own: the secret of a webhook's HMAC signatures of an epoch,
 * and the key that the values of a tenant's headers are sealed with. `webhook_id` is its text. */
void master_key_derive_webhook_secret(const struct master_key *key, const char *tenant_id,
				      const char *webhook_id, int32_t epoch,
				      uint8_t secret[MASTER_KEY_SEED_LEN]);
void master_key_derive_header_key(const struct master_key *key, const char *tenant_id,
				  uint8_t header_key[MASTER_KEY_SEED_LEN]);
