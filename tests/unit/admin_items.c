#include "command/item_source.h"
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

enum { ITEMS_MAX = 5 };

static const struct {
	const char *name, *content, *unit;
	struct {
		const char *text;
		uint64_t number;
	} items[ITEMS_MAX];
} rows[] = {
	{ "nothing", "", "line", { { 0 } } },
	{ "blank lines only", "\n \n\r\n", "line", { { 0 } } },
	{ "lines", "{\"a\":1}\n{\"b\":2}\n", "line", { { "{\"a\":1}", 1 }, { "{\"b\":2}", 2 } } },
	{ "no newline at the end",
	  "{\"a\":1}\n{\"b\":2}",
	  "line",
	  { { "{\"a\":1}", 1 }, { "{\"b\":2}", 2 } } },
	{ "blank lines between, and CRLF",
	  "\n{\"a\":1}\r\n\r\n {\"b\":2} \r\n",
	  "line",
	  { { "{\"a\":1}", 2 }, { "{\"b\":2}", 4 } } },
	{ "a wrong line is the parser's business",
	  "{\"a\"\n{}\n",
	  "line",
	  { { "{\"a\"", 1 }, { "{}", 2 } } },
	{ "one object over several lines",
	  "{\n \"a\": 1\n}\n",
	  "element",
	  { { "{\n \"a\": 1\n}", 1 } } },
	{ "an empty array", "[ ]", "element", { { 0 } } },
	{ "an array",
	  "[{\"a\":1} , {\"b\":[2]},\n\"]\\\"\", 4]\n",
	  "element",
	  { { "{\"a\":1}", 1 }, { "{\"b\":[2]}", 2 }, { "\"]\\\"\"", 3 }, { "4", 4 } } },
	{ "an array over several lines",
	  "[\n{\n\"a\":\"},\"\n}\n]",
	  "element",
	  { { "{\n\"a\":\"},\"\n}", 1 } } },
};

static char *write_file(const char *content, size_t len) {
	char path[] = "/tmp/posthorn-items.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), len);
	close(fd);
	return x_strdup(path);
}

static enum admin_status open_bytes(const char *content, size_t len, struct item_source **out) {
	_cleanup_(x_freep) char *path = write_file(content, len);
	enum admin_status status = item_source_open(path, out);

	unlink(path);
	return status;
}

static enum admin_status open_content(const char *content, struct item_source **out) {
	return open_bytes(content, strlen(content), out);
}

static void items_are_read_as_the_rows_say(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(item_source_closep) struct item_source *source = NULL;
		struct item item;
		size_t k = 0;

		assert_int_equal(open_content(rows[i].content, &source), ADMIN_OK);
		assert_string_equal(item_source_unit(source), rows[i].unit);
		for (; item_source_next(source, &item); k++) {
			const char *expected = rows[i].items[k].text;

			if (!expected || item.text.len != strlen(expected) ||
			    memcmp(item.text.bytes, expected, item.text.len) ||
			    item.number != rows[i].items[k].number)
				fail_msg("%s: item %zu is number %d: %.*s", rows[i].name, k,
					 (int)item.number, (int)item.text.len, item.text.bytes);
		}
		if (rows[i].items[k].text)
			fail_msg("%s: ends after %zu", rows[i].name, k);
		assert_int_equal(item_source_status(source), ADMIN_OK);
	}
}

/* It is for the parser to refuse, not to be passed over. */
static void a_nul_is_no_blank(void **state _unused_) {
	static const char content[] = "{}\0\n\0\0\n{}\n";
	_cleanup_(item_source_closep) struct item_source *source = NULL;
	static const size_t lens[] = { 3, 2, 2 };
	struct item item;

	assert_int_equal(open_bytes(content, sizeof(content) - 1, &source), ADMIN_OK);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		assert_true(item_source_next(source, &item));
		assert_int_equal(item.number, i + 1);
		assert_int_equal(item.text.len, lens[i]);
	}
	assert_false(item_source_next(source, &item));
}

static void a_broken_document_is_refused_whole(void **state _unused_) {
	static const char nul[] = "[{\"a\":null\0}]";
	struct item_source *source = NULL;

	assert_int_equal(open_bytes(nul, sizeof(nul) - 1, &source), ADMIN_REFUSED);
	assert_int_equal(open_content("[{\"a\":1},", &source), ADMIN_REFUSED);
	assert_int_equal(open_content("{\n\"a\":1\n", &source), ADMIN_REFUSED);
	assert_null(source);
}

static void a_missing_file_is_a_wrong_argument(void **state _unused_) {
	struct item_source *source = NULL;

	assert_int_equal(item_source_open("/nonexistent/items", &source), ADMIN_USAGE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_read_as_the_rows_say),
		cmocka_unit_test(a_nul_is_no_blank),
		cmocka_unit_test(a_broken_document_is_refused_whole),
		cmocka_unit_test(a_missing_file_is_a_wrong_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
