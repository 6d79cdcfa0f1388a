/* BLAKE2b-128 over a purpose and a list of fields, each behind its length: two different lists
 * never have the same bytes, and hashes of different purposes never agree. Source: RFC 7693. */
#pragma once

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

struct problem;

enum { FIELD_HASH_SIZE = 16 };

struct field_hash {
	crypto_generichash_blake2b_state state;
};

void field_hash_init(struct field_hash *hash, const char *purpose);
void field_hash_add_bytes(struct field_hash *hash, const void *bytes, size_t len);
/* NULL differs from the empty text. */
void field_hash_add_text(struct field_hash *hash, const char *text);
void field_hash_add_int(struct field_hash *hash, int64_t value);
/* All details; nothing where `problem` is NULL. */
void field_hash_add_problem(struct field_hash *hash, const struct problem *problem);
void field_hash_finish(struct field_hash *hash, uint8_t out[FIELD_HASH_SIZE]);
