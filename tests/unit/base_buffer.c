#include "base/buffer.h"
#include "unit.h"

static void appends_end_with_a_nul(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(1024);

	buffer_append(&buffer, NULL, 0);
	assert_string_equal(buffer.data, "");
	buffer_append_string(&buffer, "a");
	buffer_append_char(&buffer, 'b');
	buffer_append(&buffer, "c\0d", 3);
	buffer_printf(&buffer, "%d", 5);
	assert_int_equal(buffer.len, 6);
	assert_memory_equal(buffer.data, "abc\0d5", 7);
	buffer_clear(&buffer);
	assert_int_equal(buffer.len, 0);
	assert_string_equal(buffer.data, "");
}

static void many_small_appends_are_whole(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(100000);

	for (int i = 0; i < 100000; i++)
		buffer_append_char(&buffer, (char)('a' + i % 26));
	assert_false(buffer.overflowed);
	assert_int_equal(buffer.len, 100000);
	assert_int_equal(buffer.data[99999], 'a' + 99999 % 26);
}

static void a_full_buffer_overflows(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(4);

	buffer_append_string(&buffer, "1234");
	assert_false(buffer.overflowed);
	buffer_append_char(&buffer, '5');
	assert_true(buffer.overflowed);
	assert_string_equal(buffer.data, "1234");
	buffer_clear(&buffer);
	assert_false(buffer.overflowed);
	buffer_printf(&buffer, "%s", "12345");
	assert_true(buffer.overflowed);
	assert_int_equal(buffer.len, 0);
	assert_null(buffer_reserve(&buffer, SIZE_MAX));
}

static const struct {
	const char *text;
	const char *json;
} strings[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "\"\\/", "\"\\\"\\\\/\"" },
	{ "\x01\t\n\x1f\x7f", "\"\\u0001\\u0009\\u000a\\u001f\\u007f\"" },
	{ "a\xc2\x9b"
	  "31m\xe2\x80\xae z",
	  "\"a\\u009b31m\\u202e z\"" },
	{ "caf\xc3\xa9", "\"caf\xc3\xa9\"" },
	{ NULL, "null" },
};

static void strings_are_escaped_for_json(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(256);

		buffer_append_json_string_or_null(&buffer, strings[i].text);
		assert_string_equal(buffer.data, strings[i].json);
	}
}

static void controls_are_made_visible(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer buffer = BUFFER_INIT(256);

	buffer_append_visible(&buffer, "tenant=\"\xe2\x81\xa6\xc3\xa9\x1b[0m\\\xd8\x9c\" end\x7f");
	assert_string_equal(buffer.data,
			    "tenant=\"\\u2066\xc3\xa9\\u001b[0m\\\\u061c\" end\\u007f");
}

/* Source: RFC 4648 section 10, and bytes whose characters differ in the two alphabets. */
static const struct {
	const char *bytes;
	const char *base64url, *base64;
} encoded[] = {
	{ "", "", "" },
	{ "f", "Zg", "Zg==" },
	{ "fo", "Zm8", "Zm8=" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "-_-_", "+/+/" },
};

static void bytes_are_encoded_with_and_without_padding(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(encoded); i++) {
		_cleanup_(buffer_destroy) struct buffer url = BUFFER_INIT(64),
							padded = BUFFER_INIT(64);

		buffer_append_base64url(&url, encoded[i].bytes, strlen(encoded[i].bytes));
		buffer_append_base64(&padded, encoded[i].bytes, strlen(encoded[i].bytes));
		assert_string_equal(url.data, encoded[i].base64url);
		assert_string_equal(padded.data, encoded[i].base64);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_end_with_a_nul),
		cmocka_unit_test(many_small_appends_are_whole),
		cmocka_unit_test(a_full_buffer_overflows),
		cmocka_unit_test(strings_are_escaped_for_json),
		cmocka_unit_test(controls_are_made_visible),
		cmocka_unit_test(bytes_are_encoded_with_and_without_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
