/* Entity tags: of bytes, and in If-None-Match. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { ETAG_SIZE = 32 };

/* The tag of `len` bytes, with its quotes; the same bytes have the same tag at every gateway. */
void etag_make(char out[ETAG_SIZE], const void *bytes, size_t len);

/* Whether If-None-Match (NULL: absent) names the tag. Source: RFC 9110 section 13.1.2 (weak
 * comparison). */
bool etag_is_named(const char *if_none_match, const char *etag);
