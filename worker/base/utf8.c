#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

enum { PLAIN_STEP = 32 };

/* How many bytes follow a lead byte, and the range of the first of them; the table of RFC 3629 section 4. */
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

/* Whether PLAIN_STEP bytes are ASCII without NUL, as most texts are throughout: as signed numbers, positive. Compilers make vector instructions of it. */
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
	/* Back to the first byte of a character: RFC 3629 section 3, continuation bytes are 10xxxxxx. */
	for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
		len--;
	return len;
}
