#include "domain/field_hash.h"

#include "domain/problem.h"

#include <endian.h>
#include <string.h>

/* The length that stands for "absent". No field is that long. */
static const uint64_t ABSENT = UINT64_MAX;

static void add_length(struct field_hash *hash, uint64_t len) {
	uint64_t wire = htole64(len);

	crypto_generichash_blake2b_update(&hash->state, (const uint8_t *)&wire, sizeof(wire));
}

void field_hash_init(struct field_hash *hash, const char *purpose) {
	crypto_generichash_blake2b_init(&hash->state, NULL, 0, FIELD_HASH_SIZE);
	field_hash_add_text(hash, purpose);
}

void field_hash_add_bytes(struct field_hash *hash, const void *bytes, size_t len) {
	add_length(hash, len);
	crypto_generichash_blake2b_update(&hash->state, bytes, len);
}

void field_hash_add_text(struct field_hash *hash, const char *text) {
	if (text)
		field_hash_add_bytes(hash, text, strlen(text));
	else
		add_length(hash, ABSENT);
}

void field_hash_add_int(struct field_hash *hash, int64_t value) {
	uint64_t wire = htole64((uint64_t)value);

	field_hash_add_bytes(hash, &wire, sizeof(wire));
}

void field_hash_add_problem(struct field_hash *hash, const struct problem *problem) {
	for (size_t i = 0; problem && i < problem->detail_count; i++) {
		field_hash_add_text(hash, problem->details[i].param);
		field_hash_add_text(hash, problem->details[i].value);
		field_hash_add_text(hash, problem->details[i].msg);
	}
}

void field_hash_finish(struct field_hash *hash, uint8_t out[FIELD_HASH_SIZE]) {
	crypto_generichash_blake2b_final(&hash->state, out, FIELD_HASH_SIZE);
}
