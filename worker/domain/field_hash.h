/*
 * BLAKE2b-128 over a purpose and fields, each behind its length: two different lists of fields are
 * never the same bytes, and a hash made for one purpose never equals one made for another. Source:
 * RFC 7693.
 */
#pragma once

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

enum { FIELD_HASH_SIZE = 16 };

struct field_hash {
	crypto_generichash_blake2b_state state;
};

void field_hash_init(struct field_hash *hash, const char *purpose);
void field_hash_add_bytes(struct field_hash *hash, const void *bytes, size_t len);
/* NULL is another value than the empty text. */
void field_hash_add_text(struct field_hash *hash, const char *text);
void field_hash_add_int(struct field_hash *hash, int64_t value);
void field_hash_finish(struct field_hash *hash, uint8_t out[FIELD_HASH_SIZE]);
