#include "signature/webhook_secret.h"

#include "base/base64url.h"
#include "base/invariant.h"

#include <assert.h>
#include <sodium.h>

enum { TEXT_LEN = WEBHOOK_SECRET_TEXT_SIZE - 1, SEALED_LEN = TEXT_LEN + crypto_box_SEALBYTES };

static const char PREFIX[] = "whsec_";

static_assert(BOX_KEY_LEN == crypto_box_PUBLICKEYBYTES, "a public key of X25519");
static_assert(BOX_KEY_LEN == crypto_box_SECRETKEYBYTES, "a private key of X25519");
static_assert(WEBHOOK_SECRET_SEALED_SIZE ==
		  sodium_base64_ENCODED_LEN(SEALED_LEN, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
	      "the room for a sealed text");

void webhook_secret_derive(const struct master_key *master, const char *tenant_id,
			   const struct uuid *webhook_id, int32_t epoch,
			   uint8_t secret[WEBHOOK_SECRET_LEN]) {
	char id[UUID_TEXT_SIZE];

	uuid_format(webhook_id, id);
	master_key_derive_webhook_secret(master, tenant_id, id, epoch, secret);
}

int webhook_secret_seal(const uint8_t secret[WEBHOOK_SECRET_LEN],
			const uint8_t public_key[BOX_KEY_LEN],
			char out[WEBHOOK_SECRET_SEALED_SIZE]) {
	uint8_t sealed[SEALED_LEN];
	char text[WEBHOOK_SECRET_TEXT_SIZE];
	int r;

	memcpy(text, PREFIX, sizeof(PREFIX));
	sodium_bin2base64(text + strlen(PREFIX), sizeof(text) - strlen(PREFIX), secret,
			  WEBHOOK_SECRET_LEN, sodium_base64_VARIANT_ORIGINAL);
	r = crypto_box_seal(sealed, (const uint8_t *)text, TEXT_LEN, public_key);
	sodium_memzero(text, sizeof(text));
	if (r)
		return WEBHOOK_SECRET_E_REFUSED;
	sodium_bin2base64(out, WEBHOOK_SECRET_SEALED_SIZE, sealed, sizeof(sealed),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return 0;
}

void webhook_secret_ask(uint8_t private_key[BOX_KEY_LEN], char public_key[BOX_KEY_TEXT_SIZE]) {
	uint8_t public_bytes[BOX_KEY_LEN];
	int r = sodium_init();

	invariant(r >= 0, "libsodium is ready");
	crypto_box_keypair(public_bytes, private_key);
	sodium_bin2base64(public_key, BOX_KEY_TEXT_SIZE, public_bytes, sizeof(public_bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int webhook_secret_open(const uint8_t private_key[BOX_KEY_LEN], const char *sealed,
			char out[WEBHOOK_SECRET_TEXT_SIZE]) {
	uint8_t bytes[SEALED_LEN], public_key[BOX_KEY_LEN];
	size_t len;

	if (base64url_decode(sealed, strlen(sealed), bytes, sizeof(bytes), &len) ||
	    len != sizeof(bytes))
		return WEBHOOK_SECRET_E_REFUSED;
	crypto_scalarmult_base(public_key, private_key);
	if (crypto_box_seal_open((uint8_t *)out, bytes, sizeof(bytes), public_key, private_key))
		return WEBHOOK_SECRET_E_REFUSED;
	out[TEXT_LEN] = '\0';
	return 0;
}
