#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

enum { PLAIN_STEP = 32 };

/* The number of bytes that follow a lead byte, and the range of the first of them. Source: the
 * table of RFC 3629 section 4. */
static int continuation(uint8_t lead, uint8_t *low, uint8_t *high) {
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 3;
	return -1;
}

/* Whether PLAIN_STEP bytes are ASCII without NUL, which as signed numbers are positive. Most
 * texts are ASCII; compilers vectorise this loop. */
static bool is_plain(const uint8_t *p) {
	uint8_t others = 0;

	for (int i = 0; i < PLAIN_STEP; i++)
		others |= (int8_t)p[i] <= 0;
	return !others;
}

bool utf8_is_text(const void *bytes, size_t len) {
	const uint8_t *p = bytes, *end = p + len;

	while (p < end) {
		uint8_t low, high;
		int more;

		if (end - p >= PLAIN_STEP && is_plain(p)) {
			p += PLAIN_STEP;
			continue;
		}

		if (*p < 0x80) {
			if (*p++ == 0)
				return false;
			continue;
		}
		more = continuation(*p++, &low, &high);
		if (more < 0 || end - p < more || *p < low || *p > high)
			return false;
		for (p++; --more > 0; p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

size_t utf8_prefix_len(const char *text, size_t max) {
	size_t len = strnlen(text, max + 1);

	if (len <= max)
		return len;
	/* Steps back to the first byte of a character: continuation bytes are 10xxxxxx (RFC 3629
	 * section 3). */
	for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
		len--;
	return len;
}

static bool is_turning(uint32_t code_point) {
	return code_point == 0x200e || code_point == 0x200f ||
	       (code_point >= 0x2028 && code_point <= 0x202e) ||
	       (code_point >= 0x2066 && code_point <= 0x2069);
}

size_t utf8_control(const char *text, uint32_t *code_point) {
	const uint8_t *p = (const uint8_t *)text;

	if (p[0] < 0x20 || p[0] == 0x7f) {
		*code_point = p[0];
		return p[0] ? 1 : 0;
	}
	if ((p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) || (p[0] == 0xd8 && p[1] == 0x9c)) {
		*code_point = p[0] == 0xc2 ? p[1] : 0x061c;
		return 2;
	}
	if (p[0] != 0xe2 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
		return 0;
	*code_point = 0x2000U | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	return is_turning(*code_point) ? 3 : 0;
}
