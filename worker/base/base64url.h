/* A strict reader of base64url without padding. Source: RFC 4648 section 5. */
#pragma once

#include <stddef.h>

/*
 * Decodes all of `text` into at most `max` bytes. Returns 0 with the length in `*out_len`; or
 * -EINVAL for a byte outside the alphabet, padding, leftover bits that are not zero (sections 3.3
 * and 3.5), or more than `max` bytes. Takes the same time for every text of a length.
 */
int base64url_decode(const char *text, size_t len, void *out, size_t max, size_t *out_len);
