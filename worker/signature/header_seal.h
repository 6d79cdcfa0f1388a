/*
 * The values of webhooks' headers, sealed: XChaCha20-Poly1305 with a key that is derived from a
 * master key for the tenant, bound to the tenant, the webhook and the header's name. A sealed value
 * that is moved to another of them does not open.
 *
 *     sealed = the master key's id (16 characters) | nonce (24 bytes) | ciphertext and its tag
 *
 * Source: draft-irtf-cfrg-xchacha-03; RFC 8439 section 2.8.
 */
#pragma once

#include "base/uuid.h"
#include "signature/master_keys.h"

#include <stddef.h>
#include <stdint.h>

enum { HEADER_SEAL_OVERHEAD = MASTER_KEY_ID_LEN + 24 + 16 };

/* The place that a value belongs to. Borrows. */
struct header_place {
	const char *tenant_id;
	const struct uuid *webhook_id;
	const char *name;
};

/* Seals the value. `sealed` has room for `len` + HEADER_SEAL_OVERHEAD bytes. */
void header_seal(const struct master_key *key, const struct header_place *place, const char *value,
		 size_t len, uint8_t *sealed);

enum { HEADER_SEAL_E_REFUSED = 1 };

/*
 * Opens a sealed value. `value` has room for `len` bytes less HEADER_SEAL_OVERHEAD; the caller
 * wipes it. Returns 0; or HEADER_SEAL_E_REFUSED where it is too short, names no master key of
 * these, or is not of this place; `value` may have been written to then.
 */
int header_open(const struct master_keys *keys, const struct header_place *place,
		const uint8_t *sealed, size_t len, char *value) _must_check_;
