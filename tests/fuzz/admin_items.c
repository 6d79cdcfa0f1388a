/*
 * Items of a file, JSON lines or one document: the elements are those that jansson finds, byte for
 * byte somewhere in the file, and the lines are all that are not blank.
 */
#include "command/item_source.h"
#include "fuzz.h"

#include <jansson.h>

/* Errors go to stderr, once for each run: not here (CMakeLists.txt sends them here). */
void __wrap_complain(const char *format, ...);
void __wrap_complain(const char *format, ...) {
	(void)format;
}

static void check_element(const struct item *item, const json_t *wanted) {
	json_t *json = json_loadb(item->text.bytes, item->text.len,
				  JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);

	CHECK(json && json_equal(json, wanted));
	json_decref(json);
}

static void check_document(struct item_source *source, const json_t *document) {
	size_t count = json_is_array(document) ? json_array_size(document) : 1, i = 0;
	struct item item;

	CHECK(document);
	for (; item_source_next(source, &item); i++) {
		CHECK(i < count && item.number == i + 1);
		check_element(&item,
			      json_is_array(document) ? json_array_get(document, i) : document);
	}
	CHECK(i == count);
}

static bool is_blank(const char *bytes, size_t len) {
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r')
			return false;
	return true;
}

static void check_lines(struct item_source *source, const char *text, size_t size) {
	struct item item;
	uint64_t number = 0;

	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - text) - at : size - at;

		number++;
		if (!is_blank(text + at, len)) {
			CHECK(item_source_next(source, &item));
			CHECK(item.number == number && item.text.len && item.text.len <= len);
			CHECK(memmem(text + at, len, item.text.bytes, item.text.len));
			CHECK(!is_blank(item.text.bytes, 1) &&
			      !is_blank(item.text.bytes + item.text.len - 1, 1));
		}
		at += len + 1;
	}
	CHECK(!item_source_next(source, &item));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	_cleanup_(item_source_closep) struct item_source *source = NULL;
	json_t *document;

	if (item_source_open(fuzz_file(data, size), &source)) {
		CHECK(!source);
		return 0;
	}
	document = json_loadb((const char *)data, size, JSON_DECODE_INT_AS_REAL, NULL);
	if (!strcmp(item_source_unit(source), "element")) {
		CHECK(!memchr(data, '\0', size)); /* jansson passes over it */
		check_document(source, document);
	} else {
		check_lines(source, (const char *)data, size);
	}
	CHECK(item_source_status(source) == ADMIN_OK);
	json_decref(document);
	return 0;
}
