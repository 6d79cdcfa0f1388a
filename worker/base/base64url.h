/* base64url without padding, read strictly. Source: RFC 4648 section 5. */
#pragma once

#include <stddef.h>

/*
 * Reads all of `text` into at most `max` bytes. Returns 0 with how many in `*out_len`; or -EINVAL
 * where there is a byte outside the alphabet, padding, bits that are left over and not zero
 * (sections 3.3 and 3.5), or more than fits. How long it takes tells nothing of the text.
 */
int base64url_decode(const char *text, size_t len, void *out, size_t max, size_t *out_len);
