#include "signature/header_seal.h"

#include "base/buffer.h"

#include <assert.h>
#include <sodium.h>

enum {
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	PLACE_MAX = 16 * 1024,
};

static_assert(HEADER_SEAL_OVERHEAD == MASTER_KEY_ID_LEN + NONCE_LEN + TAG_LEN, "of the cipher");
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == MASTER_KEY_SEED_LEN, "a derived key");

/* Each text behind its length, so that two places never have the same bytes. */
static void describe(const struct header_place *place, struct buffer *out) {
	char id[UUID_TEXT_SIZE];

	uuid_format(place->webhook_id, id);
	buffer_printf(out, "%zu:%s%s%zu:%s", strlen(place->tenant_id), place->tenant_id, id,
		      strlen(place->name), place->name);
}

void header_seal(const struct master_key *key, const struct header_place *place, const char *value,
		 size_t len, uint8_t *sealed) {
	_cleanup_(buffer_destroy) struct buffer bound_to = BUFFER_INIT(PLACE_MAX);
	uint8_t *nonce = sealed + MASTER_KEY_ID_LEN, header_key[MASTER_KEY_SEED_LEN];

	describe(place, &bound_to);
	memcpy(sealed, master_key_id(key), MASTER_KEY_ID_LEN);
	randombytes_buf(nonce, NONCE_LEN);
	master_key_derive_header_key(key, place->tenant_id, header_key);
	crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_LEN, NULL, (const uint8_t *)value,
						   len, (const uint8_t *)bound_to.data,
						   bound_to.len, NULL, nonce, header_key);
	sodium_memzero(header_key, sizeof(header_key));
}

int header_open(const struct master_keys *keys, const struct header_place *place,
		const uint8_t *sealed, size_t len, char *value) {
	_cleanup_(buffer_destroy) struct buffer bound_to = BUFFER_INIT(PLACE_MAX);
	const uint8_t *nonce = sealed + MASTER_KEY_ID_LEN;
	uint8_t header_key[MASTER_KEY_SEED_LEN];
	const struct master_key *key;
	char id[MASTER_KEY_ID_LEN + 1] = { 0 };
	int r;

	if (len < HEADER_SEAL_OVERHEAD)
		return HEADER_SEAL_E_REFUSED;
	memcpy(id, sealed, MASTER_KEY_ID_LEN);
	key = master_keys_find(keys, id);
	if (!key)
		return HEADER_SEAL_E_REFUSED;
	describe(place, &bound_to);
	master_key_derive_header_key(key, place->tenant_id, header_key);
	r = crypto_aead_xchacha20poly1305_ietf_decrypt(
	    (uint8_t *)value, NULL, NULL, nonce + NONCE_LEN, len - MASTER_KEY_ID_LEN - NONCE_LEN,
	    (const uint8_t *)bound_to.data, bound_to.len, nonce, header_key);
	sodium_memzero(header_key, sizeof(header_key));
	return r ? HEADER_SEAL_E_REFUSED : 0;
}
