/*
 * A file of tokens: it is refused with the line that is wrong, or its tokens are what jansson finds
 * in its lines; and each is found by the text that has its hash, and by no other.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "gateway/token_file.h"

#include <jansson.h>
#include <sodium.h>

static const char *member(const json_t *token, const char *name) {
	const char *text = json_string_value(json_object_get(token, name));

	return text ? text : "";
}

/* 43 characters, of which the last one stands for four bits and two zeros. */
static bool is_hash(const char *text) {
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	return strlen(text) == 43 && !text[strspn(text, alphabet)] &&
	       (strchr(alphabet, text[42]) - alphabet) % 4 == 0;
}

static bool is_token(const char *line, size_t len) {
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *tenant_id = member(json, "tenantId");
	bool is_right = json_object_size(json) == 4 &&
			json_is_string(json_object_get(json, "id")) && *tenant_id &&
			strlen(tenant_id) <= TENANT_ID_MAX && is_hash(member(json, "hash")) &&
			!clock_parse_iso8601(member(json, "createdAt"), &(int64_t){ 0 });

	json_decref(json);
	return is_right;
}

/* Whether each line is a token or empty. */
static bool is_right(const char *text, size_t size) {
	if (strlen(text) != size || !utf8_is_text(text, size))
		return false;
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len && !is_token(text, len))
			return false;
		text += len + (text[len] == '\n');
	}
	return true;
}

static void check_token(const struct token *token, const char *line, size_t len) {
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	char hash[64], created_at[CLOCK_ISO8601_SIZE];

	sodium_bin2base64(hash, sizeof(hash), token->hash, sizeof(token->hash),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	clock_format_iso8601(token->created_at_ms, created_at);
	CHECK(!strcmp(token->id, member(json, "id")) &&
	      !strcmp(token->tenant_id, member(json, "tenantId")));
	CHECK(!strcmp(hash, member(json, "hash")) &&
	      !strcmp(created_at, member(json, "createdAt")));
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
	CHECK(!r == is_right(text, size));
	if (r) {
		CHECK(why.len && !strncmp(why.data, path, strlen(path)) && !list.count);
		return 0;
	}
	check_list(&list, text);
	check_find(&list, known);
	check_find(&list, text);
	return 0;
}
