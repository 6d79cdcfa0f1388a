/* Checked text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes are well-formed UTF-8 without NUL. Source: RFC 3629 section 4 (no surrogates, nothing overlong, nothing past U+10FFFF). */
bool utf8_is_text(const void *bytes, size_t len);

/* The most bytes of `text`, at most `max`, that end with a whole character. */
size_t utf8_prefix_len(const char *text, size_t max);
