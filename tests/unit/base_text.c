/* UTF-8, UUIDs and times as text. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "unit.h"

#include <errno.h>

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	bool is_text;
} texts[] = {
#define TEXT(name, literal, is_text) { name, literal, sizeof(literal) - 1, is_text }
	TEXT("nothing", "", true),
	TEXT("ASCII", "a\x7f\x01", true),
	TEXT("one of each length", "a\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80", true),
	TEXT("the last of each length", "\x7f\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf", true),
	TEXT("around the surrogates", "\xed\x9f\xbf\xee\x80\x80", true),
	TEXT("NUL", "a\0b", false),
	TEXT("overlong NUL", "\xc0\x80", false),
	TEXT("overlong in two", "\xc1\xbf", false),
	TEXT("overlong in three", "\xe0\x9f\xbf", false),
	TEXT("overlong in four", "\xf0\x8f\xbf\xbf", false),
	TEXT("a surrogate", "\xed\xa0\x80", false),
	TEXT("past the last character", "\xf4\x90\x80\x80", false),
	TEXT("a lead byte that never was", "\xf5\x80\x80\x80", false),
	TEXT("a continuation alone", "\x80", false),
	TEXT("cut off after one of two", "a\xc3", false),
	TEXT("cut off after two of three", "\xe2\x82", false),
	TEXT("cut off after three of four", "\xf0\x9f\x98", false),
	TEXT("continued by ASCII", "\xe2\x82z", false),
	TEXT("continued by a lead byte", "\xc3\xc3\xa9", false),
};

static void utf8_is_judged_byte_by_byte(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		/* A copy of the exact size shows a sanitizer each byte read past the end. */
		_cleanup_(x_freep) char *copy = x_malloc(texts[i].len);

		memcpy(copy, texts[i].bytes, texts[i].len);
		if (utf8_is_text(copy, texts[i].len) != texts[i].is_text)
			fail_msg("%s", texts[i].name);
	}
}

static const struct {
	const char *text;
	const char *canonical; /* NULL: refused */
} uuids[] = {
	{ "00112233-4455-8677-8899-aabbccddeeff", "00112233-4455-8677-8899-aabbccddeeff" },
	{ "00112233-4455-8677-8899-AaBbCcDdEeFf", "00112233-4455-8677-8899-aabbccddeeff" },
	{ "", NULL },
	{ "00112233-4455-8677-8899-aabbccddeef", NULL },
	{ "00112233-4455-8677-8899-aabbccddeeff0", NULL },
	{ "00112233-4455-8677-8899-aabbccddeefg", NULL },
	{ "0011223344558677-8899-aabbccddeeff--", NULL },
	{ "00112233445586778899aabbccddeeff", NULL },
	{ "{0112233-4455-8677-8899-aabbccddeef}", NULL },
	{ " 0112233-4455-8677-8899-aabbccddeeff", NULL },
	{ "00112233_4455_8677_8899_aabbccddeeff", NULL },
};

static void uuids_are_parsed_and_formatted(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(uuids); i++) {
		struct uuid uuid;
		char text[UUID_TEXT_SIZE];
		int r = uuid_parse(uuids[i].text, &uuid);

		if (r != (uuids[i].canonical ? 0 : -EINVAL))
			fail_msg("\"%s\" gave %d", uuids[i].text, r);
		if (r < 0)
			continue;
		uuid_format(&uuid, text);
		assert_string_equal(text, uuids[i].canonical);
	}
}

static void uuids_have_their_version(void **state _unused_) {
	const uint8_t hash[16] = { [0 ... 15] = 0xff };
	struct uuid from_hash = uuid_from_hash(hash), one = uuid_random(), two = uuid_random();
	char text[UUID_TEXT_SIZE];

	uuid_format(&from_hash, text);
	assert_string_equal(text, "ffffffff-ffff-8fff-bfff-ffffffffffff");
	uuid_format(&one, text);
	assert_int_equal(text[14], '4');
	assert_non_null(strchr("89ab", text[19]));
	assert_int_not_equal(uuid_compare(&one, &two), 0);
}

static const struct {
	int64_t wall_ms;
	const char *text;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000Z" },
	{ -1, "1969-12-31T23:59:59.999Z" },
	{ 1769860800000, "2026-01-31T12:00:00.000Z" },
	{ 1709164800005, "2024-02-29T00:00:00.005Z" },
	{ 253402300799999, "9999-12-31T23:59:59.999Z" },
};

static const char *const no_times[] = {
	"",
	"2026-01-31T12:00:00Z",
	"2026-01-31T12:00:00.000",
	"2026-01-31T12:00:00.000z",
	"2026-01-31 12:00:00.000Z",
	"2026-02-31T12:00:00.000Z",
	"2025-02-29T12:00:00.000Z",
	"2026-13-01T12:00:00.000Z",
	"2026-01-31T24:00:00.000Z",
	"2026-01-31T12:00:60.000Z",
	"2026-01-31T12:00:00.0000",
	"2026-01-31T12:00:00.00 Z",
	"2026-1-031T12:00:00.000Z",
	"+026-01-31T12:00:00.000Z",
	" 026-01-31T12:00:00.000Z",
	"2026-01-31T12:00:00.000+",
};

static void times_are_formatted_and_parsed(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		char text[CLOCK_ISO8601_SIZE];
		int64_t wall_ms = 0;

		clock_format_iso8601(times[i].wall_ms, text);
		assert_string_equal(text, times[i].text);
		assert_int_equal(clock_parse_iso8601(text, &wall_ms), 0);
		assert_int_equal(wall_ms, times[i].wall_ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_times); i++) {
		int64_t wall_ms;

		if (clock_parse_iso8601(no_times[i], &wall_ms) != -EINVAL)
			fail_msg("\"%s\" was taken", no_times[i]);
	}
}

static void times_of_others_are_parsed(void **state _unused_) {
	static const struct {
		const char *text;
		int64_t wall_ms;
	} right[] = {
		{ "2026-01-31T12:00:00Z", 1769860800000 },
		{ "2026-01-31T12:00:00.000Z", 1769860800000 },
		{ "2026-01-31T12:00:00.5Z", 1769860800500 },
		{ "2026-01-31T12:00:00.123456789Z", 1769860800123 },
		{ "2026-01-31T13:30:00+01:30", 1769860800000 },
		{ "2026-01-30T22:30:00.001-13:30", 1769860800001 },
		{ "2026-01-31T12:00:00-00:00", 1769860800000 },
	};
	static const char *const wrong[] = {
		"",
		"2026-01-31",
		"2026-01-31T12:00:00",
		"2026-01-31 12:00:00Z",
		"2026-01-31T12:00:00z",
		"2026-01-31T12:00:00.Z",
		"2026-01-31T12:00:00.1",
		"2026-01-31T12:00:00+01",
		"2026-01-31T12:00:00+0100",
		"2026-01-31T12:00:00+24:00",
		"2026-01-31T12:00:00+01:60",
		"2026-01-31T12:00:00+ 1:00",
		"2026-01-31T12:00:00Zulu",
		"2026-02-29T12:00:00Z",
		"2026-01-31T12:00Z",
	};
	int64_t wall_ms;

	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		if (clock_parse_rfc3339(right[i].text, &wall_ms))
			fail_msg("\"%s\" was refused", right[i].text);
		assert_int_equal(wall_ms, right[i].wall_ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (clock_parse_rfc3339(wrong[i], &wall_ms) != -EINVAL)
			fail_msg("\"%s\" was taken", wrong[i]);
}

static const struct {
	const char *text;
	size_t len;
	uint32_t code_point;
} controls[] = {
	{ "", 0, 0 },
	{ " ", 0, 0 },
	{ "~", 0, 0 },
	{ "\x01", 1, 0x01 },
	{ "\x1f", 1, 0x1f },
	{ "\x7f", 1, 0x7f },
	{ "\xc2\x7f", 0, 0 },
	{ "\xc2\x80", 2, 0x80 },
	{ "\xc2\x9f", 2, 0x9f },
	{ "\xc2\xa0", 0, 0 },
	{ "\xc2", 0, 0 },
	{ "\xd8\x9b", 0, 0 },
	{ "\xd8\x9c", 2, 0x061c },
	{ "\xd8\x9d", 0, 0 },
	{ "\xe2\x80\x8d", 0, 0 },
	{ "\xe2\x80\x8e", 3, 0x200e },
	{ "\xe2\x80\x8f", 3, 0x200f },
	{ "\xe2\x80\x90", 0, 0 },
	{ "\xe2\x80\xa7", 0, 0 },
	{ "\xe2\x80\xa8", 3, 0x2028 },
	{ "\xe2\x80\xa9", 3, 0x2029 },
	{ "\xe2\x80\xaa", 3, 0x202a },
	{ "\xe2\x80\xae", 3, 0x202e },
	{ "\xe2\x80\xaf", 0, 0 },
	{ "\xe2\x81\xa5", 0, 0 },
	{ "\xe2\x81\xa6", 3, 0x2066 },
	{ "\xe2\x81\xa9", 3, 0x2069 },
	{ "\xe2\x81\xaa", 0, 0 },
	{ "\xe2\x80", 0, 0 },
	{ "\xe2", 0, 0 },
	{ "\xe3\x80\xae", 0, 0 },
	{ "\xff", 0, 0 },
};

static void control_characters_are_found(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
		uint32_t code_point = 0;
		size_t len = utf8_control(controls[i].text, &code_point);

		if (len != controls[i].len || (len && code_point != controls[i].code_point))
			fail_msg("row %zu: %zu bytes, U+%04X", i, len, code_point);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_judged_byte_by_byte),
		cmocka_unit_test(control_characters_are_found),
		cmocka_unit_test(uuids_are_parsed_and_formatted),
		cmocka_unit_test(uuids_have_their_version),
		cmocka_unit_test(times_are_formatted_and_parsed),
		cmocka_unit_test(times_of_others_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
