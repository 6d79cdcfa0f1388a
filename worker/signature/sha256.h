/* SHA-256 by OpenSSL, which uses the processor's own instructions for it. Source: FIPS 180-4. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA256_LEN = 32 };

void sha256(const void *bytes, size_t len, uint8_t out[SHA256_LEN]);
