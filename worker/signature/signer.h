/*
 * A tenant's Ed25519 key pair, derived and never stored: seed = BLAKE2b-256 keyed with the master
 * key over (purpose, master key id, tenant, epoch). Source: RFC 8032 section 5.1 (Ed25519), RFC
 * 7693 section 2.9 (keyed BLAKE2b).
 *
 * A signer is immutable and reference-counted; threads may share it. The last reference wipes it.
 */
#pragma once

#include "base/memory.h"
#include "signature/master_key.h"

#include <stdint.h>

enum { SIGNER_KID_SIZE = 44, SIGNER_SIGNATURE_LEN = 64 };

struct signer;

struct signer *signer_derive(const struct master_key *master, const char *tenant_id, int32_t epoch);
struct signer *signer_ref(struct signer *signer);
void signer_unref(struct signer *signer);
DEFINE_CLEANUP(struct signer, signer_unref)

const char *signer_kid(const struct signer *signer);
const uint8_t *signer_public_key(const struct signer *signer); /* [32] */

void signer_sign(const struct signer *signer, const void *message, size_t len,
		 uint8_t out[SIGNER_SIGNATURE_LEN]);

/* For vectors and tests: makes a signer from a 32-byte Ed25519 seed. */
struct signer *signer_from_seed(const uint8_t seed[32]);
