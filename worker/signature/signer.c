#include "signature/signer.h"

#include "base/invariant.h"
#include "signature/jwk.h"

#include <assert.h>
#include <sodium.h>
#include <stdatomic.h>

/*
 * Lives in ordinary memory and is wiped when freed. sodium_malloc would take three pages and an
 * mlock for each signer, which with thousands of tenants exceeds RLIMIT_MEMLOCK and the limit of
 * mappings. A derived key is worth one tenant and can be rotated; only the master key, which is
 * worth them all, is locked and guarded.
 */
struct signer {
	atomic_uint references;
	uint8_t secret_key[crypto_sign_SECRETKEYBYTES]; /* seed, then public key */
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	char kid[SIGNER_KID_SIZE];
};

static_assert(crypto_sign_BYTES == SIGNER_SIGNATURE_LEN, "an Ed25519 signature");
static_assert(crypto_sign_SEEDBYTES == MASTER_KEY_SEED_LEN, "an Ed25519 seed");

struct signer *signer_from_seed(const uint8_t seed[32]) {
	struct signer *signer = x_malloc(sizeof(*signer));
	int r = sodium_init();

	invariant(r >= 0, "libsodium is ready");
	atomic_init(&signer->references, 1);
	crypto_sign_seed_keypair(signer->public_key, signer->secret_key, seed);
	jwk_thumbprint(signer->public_key, signer->kid);
	return signer;
}

struct signer *signer_derive(const struct master_key *master, const char *tenant_id,
			     int32_t epoch) {
	uint8_t seed[MASTER_KEY_SEED_LEN];
	struct signer *signer;

	master_key_derive_seed(master, tenant_id, epoch, seed);
	signer = signer_from_seed(seed);
	sodium_memzero(seed, sizeof(seed));
	return signer;
}

struct signer *signer_ref(struct signer *signer) {
	atomic_fetch_add_explicit(&signer->references, 1, memory_order_relaxed);
	return signer;
}

void signer_unref(struct signer *signer) {
	/* acq_rel: every use by other threads happens before the wipe. */
	if (!signer || atomic_fetch_sub_explicit(&signer->references, 1, memory_order_acq_rel) != 1)
		return;
	sodium_memzero(signer, sizeof(*signer));
	free(signer);
}

const char *signer_kid(const struct signer *signer) {
	return signer->kid;
}

const uint8_t *signer_public_key(const struct signer *signer) {
	return signer->public_key;
}

void signer_sign(const struct signer *signer, const void *message, size_t len,
		 uint8_t out[SIGNER_SIGNATURE_LEN]) {
	crypto_sign_detached(out, NULL, message, len, signer->secret_key);
}
