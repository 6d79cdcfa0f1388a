#include "history/key.h"

#include "domain/field_hash.h"

#include <string.h>

/* 0 stands for none. */
static int64_t key_of_bytes(const uint8_t *bytes) {
	int64_t key;

	memcpy(&key, bytes, sizeof(key));
	return key ? key : 1;
}

int64_t key_of_text(const char *tenant_id, const char *text) {
	uint8_t digest[FIELD_HASH_SIZE];
	struct field_hash hash;

	if (!text)
		return 0;
	field_hash_init(&hash, "posthorn history");
	field_hash_add_text(&hash, tenant_id);
	field_hash_add_text(&hash, text);
	field_hash_finish(&hash, digest);
	return key_of_bytes(digest);
}

int64_t key_of_uuid(const struct uuid *uuid) {
	return uuid ? key_of_bytes(uuid->bytes) : 0;
}
