/*
 * The secret of a webhook's HMAC signatures: derived from a master key for the tenant, the webhook
 * and the epoch, and never stored. To its receiver it is a text; it reaches who asks for it sealed
 * for a key of theirs, because many read the topic of the answers.
 *
 *     the text      whsec_<base64 of 32 bytes>
 *     sealed text   base64url of libsodium's crypto_box_seal of the text
 *
 * Source: Standard Webhooks specification, "Signature scheme"; libsodium, "Sealed boxes" (X25519,
 * XSalsa20-Poly1305).
 */
#pragma once

#include "base/uuid.h"
#include "signature/master_key.h"

#include <stdint.h>

enum {
	WEBHOOK_SECRET_LEN = 32,
	WEBHOOK_SECRET_TEXT_SIZE = sizeof("whsec_") + 44,
	WEBHOOK_SECRET_SEALED_SIZE = 132, /* base64url of the text and 48 bytes, and a NUL */
	BOX_KEY_LEN = 32,
	BOX_KEY_TEXT_SIZE = 44,
};

void webhook_secret_derive(const struct master_key *master, const char *tenant_id,
			   const struct uuid *webhook_id, int32_t epoch,
			   uint8_t secret[WEBHOOK_SECRET_LEN]);

enum { WEBHOOK_SECRET_E_REFUSED = 1 };

/* Writes the sealed text. Returns 0, or WEBHOOK_SECRET_E_REFUSED for a public key that seals
 * nothing (a point of small order). */
int webhook_secret_seal(const uint8_t secret[WEBHOOK_SECRET_LEN],
			const uint8_t public_key[BOX_KEY_LEN],
			char out[WEBHOOK_SECRET_SEALED_SIZE]) _must_check_;

/* Makes a key pair for one question. The caller wipes the private half. */
void webhook_secret_ask(uint8_t private_key[BOX_KEY_LEN], char public_key[BOX_KEY_TEXT_SIZE]);
/* Opens a sealed text with it. Returns 0, or WEBHOOK_SECRET_E_REFUSED. The caller wipes `out`. */
int webhook_secret_open(const uint8_t private_key[BOX_KEY_LEN], const char *sealed,
			char out[WEBHOOK_SECRET_TEXT_SIZE]) _must_check_;
