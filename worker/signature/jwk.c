#include "signature/jwk.h"

#include <sodium.h>

void jwk_thumbprint(const uint8_t x[32], char out[44]) {
	static const char head[] = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"";
	char x_text[44];
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	/* The required members alone, in the order of their names, without white space. Source:
	 * RFC 7638 section 3.3, RFC 8037 section 2. */
	sodium_bin2base64(x_text, sizeof(x_text), x, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)head, sizeof(head) - 1);
	crypto_hash_sha256_update(&state, (const uint8_t *)x_text, sizeof(x_text) - 1);
	crypto_hash_sha256_update(&state, (const uint8_t *)"\"}", 2);
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2base64(out, 44, hash, sizeof(hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void jwk_append(struct buffer *out, const uint8_t x[32], const char *kid) {
	buffer_append_string(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
	buffer_append_base64url(out, x, 32);
	buffer_append_string(out, "\",\"use\":\"sig\",\"kid\":");
	buffer_append_json_string(out, kid);
	buffer_append_char(out, '}');
}
