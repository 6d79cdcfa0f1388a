/* base64url: accepted and refused texts. */
#include "base/base64url.h"
#include "base/memory.h"
#include "unit.h"

#include <errno.h>

static const struct {
	const char *name, *text;
	int len; /* -1: refused */
	uint8_t bytes[3];
} rows[] = {
	{ "nothing", "", 0, { 0 } },
	{ "a byte", "_w", 1, { 0xff } },
	{ "two bytes", "-_8", 2, { 0xfb, 0xff } },
	{ "three bytes", "AAB_", 3, { 0, 0, 0x7f } },
	{ "more than fits", "AAAAAA", -1, { 0 } },
	{ "one character alone", "A", -1, { 0 } },
	{ "bits left over", "_x", -1, { 0 } },
	{ "padding", "_w==", -1, { 0 } },
	{ "base64", "+/8", -1, { 0 } },
	{ "a blank", "A A", -1, { 0 } },
	{ "a line's end", "AAAA\n", -1, { 0 } },
	{ "a byte beyond ASCII", "AAA\xe2", -1, { 0 } },
	{ "all bytes beyond ASCII", "\x80\xff\xc3\xa4", -1, { 0 } },
};

static void only_canonical_text_is_decoded(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[3] = { 0 };
		size_t len = 0;
		int r = base64url_decode(rows[i].text, strlen(rows[i].text), bytes, sizeof(bytes),
					 &len);

		if (r != (rows[i].len < 0 ? -EINVAL : 0))
			fail_msg("%s: %d", rows[i].name, r);
		if (!r && (len != (size_t)rows[i].len || memcmp(bytes, rows[i].bytes, len)))
			fail_msg("%s: other bytes", rows[i].name);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_canonical_text_is_decoded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
