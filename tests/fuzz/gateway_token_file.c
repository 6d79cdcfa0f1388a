/*
 * A file of tokens: it is refused with the line that is wrong, or its tokens are what jansson finds
 * in its lines; and each is found by the text that has its hash, and by no other.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "gateway/token_file.h"

#include <jansson.h>
#include <sodium.h>

#include "fuzz.h"

static void check_token(const struct token *token, const char *line, size_t len) {
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	char hash[64], created_at[CLOCK_ISO8601_SIZE];

	CHECK(json_is_object(json) && json_object_size(json) == 4);
	sodium_bin2base64(hash, sizeof(hash), token->hash, sizeof(token->hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	clock_format_iso8601(token->created_at_ms, created_at);
	CHECK(!strcmp(token->id, json_string_value(json_object_get(json, "id"))));
	CHECK(!strcmp(token->tenant_id, json_string_value(json_object_get(json, "tenantId"))));
	CHECK(!strcmp(hash, json_string_value(json_object_get(json, "hash"))));
	CHECK(!strcmp(created_at, json_string_value(json_object_get(json, "createdAt"))));
	CHECK(*token->tenant_id && strlen(token->tenant_id) <= TENANT_ID_MAX);
	json_decref(json);
}

static void check_list(const struct token_list *list, const char *text) {
	size_t count = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len) {
			CHECK(count < list->count);
			check_token(&list->items[count++], text, len);
		}
		text += len + (text[len] == '\n');
	}
	CHECK(count == list->count);
}

static void check_find(struct token_list *list, const char *text) {
	uint8_t hash[TOKEN_HASH_BYTES];
	const struct token *found;
	bool is_there = false;

	crypto_hash_sha256(hash, (const uint8_t *)text, strlen(text));
	for (size_t i = 0; i < list->count; i++)
		is_there = is_there || !memcmp(list->items[i].hash, hash, sizeof(hash));
	token_list_sort(list);
	found = token_list_find(list, text);
	CHECK((found != NULL) == is_there && (!found || !memcmp(found->hash, hash, sizeof(hash))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char known[] = "phk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	_cleanup_(x_freep) char *text = fuzz_text(data, size);
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	_cleanup_(token_list_destroy) struct token_list list = { 0 };
	const char *path = fuzz_file(data, size);
	int r = token_file_read(path, &list, NULL, &why);

	CHECK(r == 0 || r == TOKEN_FILE_E_REFUSED);
	if (r) {
		CHECK(why.len && !strncmp(why.data, path, strlen(path)) && !list.count);
		return 0;
	}
	CHECK(strlen(text) == size);
	check_list(&list, text);
	check_find(&list, known);
	check_find(&list, text);
	return 0;
}
