#include "avro/fingerprint.h"

/* The polynomial, and the fingerprint of an empty text. */
static const uint64_t EMPTY = 0xc15d213aa4d7a795;

/* Computes bit by bit, without a table: a schema is fingerprinted once, when it is loaded. */
uint64_t fingerprint_of(const void *bytes, size_t len) {
	const uint8_t *p = bytes;
	uint64_t fingerprint = EMPTY;

	for (size_t i = 0; i < len; i++) {
		fingerprint ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			fingerprint = (fingerprint >> 1) ^ (EMPTY & -(fingerprint & 1));
	}
	return fingerprint;
}
