/* Public keys as JWKs. Source: RFC 7517 (JWK, JWK set), RFC 8037 section 2 (OKP), RFC 7638 section
 * 3 (thumbprint). */
#pragma once

#include "base/buffer.h"

#include <stdint.h>

/* Writes base64url(SHA-256({"crv":"Ed25519","kty":"OKP","x":"..."})): 43 characters and a NUL. */
void jwk_thumbprint(const uint8_t x[32], char out[44]);

/* Appends {"kty":"OKP","crv":"Ed25519","x":"...","use":"sig","kid":"..."}: exactly these
 * members. */
void jwk_append(struct buffer *out, const uint8_t x[32], const char *kid);
