/* UTF-8 text: validation, cutting, and control characters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the bytes are well-formed UTF-8 without NUL. Source: RFC 3629 section 4 (no surrogates,
 * nothing overlong, nothing past U+10FFFF). */
bool utf8_is_text(const void *bytes, size_t len);

/* The length of the longest prefix of `text`, at most `max` bytes, that ends with a whole
 * character. */
size_t utf8_prefix_len(const char *text, size_t max);

/*
 * Control characters, which a terminal or a viewer obeys instead of showing: C0 (with line feed and
 * tab), DEL, C1, line and paragraph separators, and those that change the direction of text
 * (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). Returns the length in bytes of the
 * one that `text` begins with, and its code point; 0 where `text` begins with another character.
 * `text` ends with NUL and need not be valid UTF-8. Source: ECMA-48 section 5; Unicode 15, UAX 9
 * section 2; Trojan Source (CVE-2021-42574).
 */
size_t utf8_control(const char *text, uint32_t *code_point);
