#include "base/base64url.h"

#include <errno.h>
#include <sodium.h>

int base64url_decode(const char *text, size_t len, void *out, size_t max, size_t *out_len) {
	unsigned char all = 0;

	/* libsodium 1.0.18 reads each byte beyond ASCII as "_". */
	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	if (all & 0x80 || sodium_base642bin(out, max, text, len, NULL, out_len, NULL,
					    sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0)
		return -EINVAL;
	return 0;
}
