/* SHA-256 and HMAC by OpenSSL, which uses the processor's own instructions for it. Source: FIPS
 * 180-4, RFC 2104. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA256_LEN = 32 };

void sha256(const void *bytes, size_t len, uint8_t out[SHA256_LEN]);

enum { HMAC_KEY_LEN = 32 };

void hmac_sha256(const uint8_t key[HMAC_KEY_LEN], const void *bytes, size_t len,
		 uint8_t out[SHA256_LEN]);
