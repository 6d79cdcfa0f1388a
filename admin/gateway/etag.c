#include "gateway/etag.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

void etag_make(char out[ETAG_SIZE], const void *bytes, size_t len) {
	uint8_t hash[crypto_generichash_BYTES_MIN];
	char
	    text[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

	crypto_generichash(hash, sizeof(hash), bytes, len, NULL, 0);
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	snprintf(out, ETAG_SIZE, "\"%s\"", text);
}

bool etag_is_named(const char *if_none_match, const char *etag) {
	const char *rest = if_none_match;
	size_t etag_len = strlen(etag);

	while (rest && *rest) {
		size_t len;

		rest += strspn(rest, " \t,");
		if (*rest == '*')
			return true;
		rest += strncmp(rest, "W/", 2) == 0 ? 2 : 0;
		len = strcspn(rest, ", \t");
		if (len == etag_len && !memcmp(rest, etag, len))
			return true;
		rest += len;
	}
	return false;
}
