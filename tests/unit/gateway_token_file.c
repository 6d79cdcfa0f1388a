#include "gateway/token_file.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WHY_MAX = 1024 };

/* 32 bytes. */
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define LINE(tenant, hash)                                                                         \
	"{\"id\":\"i\",\"tenantId\":\"" tenant "\",\"hash\":\"" hash                               \
	"\",\"createdAt\":\"2026-01-31T12:00:00.000Z\"}\n"

struct folder {
	char path[64];
	char *file; /* owned */
};

static struct folder folder_make(void) {
	struct folder folder = { .path = "/tmp/posthorn-tokens.XXXXXX" };

	assert_non_null(mkdtemp(folder.path));
	folder.file = x_asprintf("%s/tokens", folder.path);
	return folder;
}

static void folder_remove(struct folder *folder) {
	static const char *const endings[] = { "", ".lock", ".new" };

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		_cleanup_(x_freep) char *name = x_asprintf("%s%s", folder->file, endings[i]);

		unlink(name);
	}
	assert_int_equal(rmdir(folder->path), 0);
	free(folder->file);
}

static void write_text(const char *file, const char *text, mode_t mode) {
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(file, mode), 0);
}

static const struct {
	const char *name, *text;
	mode_t mode;
	int count;       /* -1: refused */
	const char *why; /* is in the reason */
} files[] = {
	{ "not there", NULL, 0, 0, NULL },
	{ "empty", "", 0600, 0, NULL },
	{ "empty lines", "\n\n", 0600, 0, NULL },
	{ "one", LINE("t", ZEROS), 0600, 1, NULL },
	{ "two, and an empty line between", LINE("t", ZEROS) "\n" LINE("u", ZEROS), 0600, 2, NULL },
	{ "no line's end",
	  "{\"id\":\"i\",\"tenantId\":\"t\",\"hash\":\"" ZEROS
	  "\",\"createdAt\":\"2026-01-31T12:00:00.000Z\"}",
	  0600, 1, NULL },
	{ "the longest tenant", LINE(X256, ZEROS), 0600, 1, NULL },
	{ "a longer one", LINE(X256 "x", ZEROS), 0600, -1, "line 1: tenantId" },
	{ "no tenant", LINE("", ZEROS), 0600, -1, "line 1: tenantId" },
	{ "31 bytes", LINE("t", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 0600, -1,
	  "line 1: hash" },
	{ "33 bytes", LINE("t", ZEROS "A"), 0600, -1, "line 1: hash" },
	{ "no base64url", LINE("t", "+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 0600, -1,
	  "line 1: hash" },
	{ "a letter beyond ASCII",
	  LINE("t", "\xc3\xa4"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	  0600, -1, "line 1: hash" },
	{ "padding", LINE("t", ZEROS "="), 0600, -1, "line 1: hash" },
	{ "the second is wrong", LINE("t", ZEROS) "x\n", 0600, -1, "line 2: must be an object" },
	{ "a member is missing", "{\"id\":\"i\",\"tenantId\":\"t\",\"hash\":\"" ZEROS "\"}\n", 0600,
	  -1, "line 1: must be an object" },
	{ "a member too many",
	  "{\"x\":1,"
	  "\"id\":\"i\",\"tenantId\":\"t\",\"hash\":\"" ZEROS
	  "\",\"createdAt\":\"2026-01-31T12:00:00.000Z\"}\n",
	  0600, -1, "line 1: must be an object" },
	{ "a member twice",
	  "{\"id\":\"i\","
	  "\"id\":\"i\",\"tenantId\":\"t\",\"hash\":\"" ZEROS
	  "\",\"createdAt\":\"2026-01-31T12:00:00.000Z\"}\n",
	  0600, -1, "line 1: must be an object" },
	{ "no time",
	  "{\"id\":\"i\",\"tenantId\":\"t\",\"hash\":\"" ZEROS "\",\"createdAt\":\"today\"}\n",
	  0600, -1, "line 1: createdAt" },
	{ "no UTF-8", LINE("\xff", ZEROS), 0600, -1, "UTF-8" },
	{ "others may write", LINE("t", ZEROS), 0602, -1, "has mode 0602 and must have 0600" },
	{ "others may read", LINE("t", ZEROS), 0644, -1, "has mode 0644 and must have 0600" },
};

static void files_are_read_or_refused(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_(folder_remove) struct folder folder = folder_make();
		_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
		_cleanup_(token_list_destroy) struct token_list list = { 0 };
		int r;

		if (files[i].text)
			write_text(folder.file, files[i].text, files[i].mode);
		r = token_file_read(folder.file, &list, NULL, &why);
		if (r != (files[i].count < 0 ? TOKEN_FILE_E_REFUSED : 0))
			fail_msg("%s: returned %d, %s", files[i].name, r, why.len ? why.data : "");
		if (!r && list.count != (size_t)files[i].count)
			fail_msg("%s: %zu tokens", files[i].name, list.count);
		if (r && !strstr(why.data, files[i].why))
			fail_msg("%s: %s", files[i].name, why.data);
	}
}

static void a_folder_is_refused(void **state _unused_) {
	_cleanup_(folder_remove) struct folder folder = folder_make();
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	struct token_list list = { 0 };

	assert_int_equal(token_file_read(folder.path, &list, NULL, &why), TOKEN_FILE_E_REFUSED);
	assert_non_null(strstr(why.data, "is not a regular file"));
	assert_int_equal(list.count, 0);
}

static void add(const char *file) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	_cleanup_(token_destroy) struct token token = { 0 };
	char text[TOKEN_TEXT_SIZE];

	assert_int_equal(token_file_add(file, "t", text, &token, &why), 0);
}

/* Its target is replaced, under the same lock as by its own name. */
static void a_link_stays_a_link(void **state _unused_) {
	_cleanup_(folder_remove) struct folder folder = folder_make();
	_cleanup_(x_freep) char *link = x_asprintf("%s/link", folder.path),
				*beside = x_asprintf("%s/link.lock", folder.path);
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	_cleanup_(token_list_destroy) struct token_list list = { 0 };
	struct stat stat;

	assert_int_equal(symlink("tokens", link), 0);
	add(folder.file);
	add(link);
	assert_int_equal(lstat(link, &stat), 0);
	assert_true(S_ISLNK(stat.st_mode));
	assert_int_equal(access(beside, F_OK), -1);
	assert_int_equal(token_file_read(folder.file, &list, NULL, &why), 0);
	assert_int_equal(list.count, 2);
	unlink(link);
}

/* A gateway that runs as another user reads root's file by its group; it must still be able to when
 * root has added a token. */
static void the_group_of_roots_file_stays(void **state _unused_) {
	enum { GROUP = 64003 };
	_cleanup_(folder_remove) struct folder folder = folder_make();
	gid_t own = getegid();
	struct stat stat_after;

	if (geteuid() != 0)
		skip();
	write_text(folder.file, "", 0640);
	assert_int_equal(chown(folder.file, 0, GROUP), 0);
	assert_int_equal(setegid(GROUP), 0);
	add(folder.file);
	assert_int_equal(setegid(own), 0);
	assert_int_equal(stat(folder.file, &stat_after), 0);
	assert_int_equal(stat_after.st_gid, GROUP);
	assert_int_equal(stat_after.st_mode & 07777, 0640);
}

enum { MANY = 100 };

static void a_token_is_found_among_many(void **state _unused_) {
	_cleanup_(folder_remove) struct folder folder = folder_make();
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	_cleanup_(token_list_destroy) struct token_list list = { 0 };
	char texts[MANY][TOKEN_TEXT_SIZE], wrong[TOKEN_TEXT_SIZE + 1];
	struct token tokens[MANY];

	assert_null(token_list_find(&list, "phk_"));
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(
		    token_file_add(folder.file, i % 2 ? "odd" : "even", texts[i], &tokens[i], &why),
		    0);
	assert_int_equal(token_file_read(folder.file, &list, NULL, &why), 0);
	assert_int_equal(list.count, MANY);
	token_list_sort(&list);
	for (size_t i = 0; i < MANY; i++) {
		const struct token *found = token_list_find(&list, texts[i]);

		assert_non_null(found);
		assert_string_equal(found->id, tokens[i].id);
		assert_string_equal(found->tenant_id, i % 2 ? "odd" : "even");
		/* One character less, more, or other. */
		snprintf(wrong, sizeof(wrong), "%.*s", TOKEN_TEXT_SIZE - 2, texts[i]);
		assert_null(token_list_find(&list, wrong));
		snprintf(wrong, sizeof(wrong), "%sA", texts[i]);
		assert_null(token_list_find(&list, wrong));
		snprintf(wrong, sizeof(wrong), "%s", texts[i]);
		wrong[TOKEN_TEXT_SIZE - 2] = wrong[TOKEN_TEXT_SIZE - 2] == 'A' ? 'B' : 'A';
		assert_null(token_list_find(&list, wrong));
		token_destroy(&tokens[i]);
	}
}

static void tokens_are_added_and_removed(void **state _unused_) {
	_cleanup_(folder_remove) struct folder folder = folder_make();
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	_cleanup_(token_list_destroy) struct token_list list = { 0 };
	_cleanup_(token_destroy) struct token first = { 0 }, second = { 0 };
	_cleanup_(x_freep) char *left_behind = x_asprintf("%s.new", folder.file);
	char text[TOKEN_TEXT_SIZE];
	struct stat at;
	bool found;

	write_text(left_behind, "somebody died here", 0666);
	assert_int_equal(token_file_add(folder.file, "t", text, &first, &why), 0);
	assert_int_equal(token_file_add(folder.file, "\"u\"\n", text, &second, &why), 0);
	assert_int_equal(token_file_remove(folder.file, "nobody's", &found, &why), 0);
	assert_false(found);
	assert_int_equal(token_file_remove(folder.file, first.id, &found, &why), 0);
	assert_true(found);
	assert_int_equal(token_file_remove(folder.file, first.id, &found, &why), 0);
	assert_false(found);
	assert_int_equal(token_file_read(folder.file, &list, &at, &why), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].tenant_id, "\"u\"\n");
	assert_int_equal(list.items[0].created_at_ms, second.created_at_ms);
	assert_memory_equal(list.items[0].hash, second.hash, TOKEN_HASH_BYTES);
	assert_int_equal(at.st_mode & 0777, 0600);
	assert_int_equal(access(left_behind, F_OK), -1);
}

/* A file that another program has broken is not written over. */
static void a_broken_file_stays(void **state _unused_) {
	_cleanup_(folder_remove) struct folder folder = folder_make();
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(WHY_MAX);
	char text[TOKEN_TEXT_SIZE], kept[8] = "";
	struct token token;
	bool found;
	FILE *in;

	write_text(folder.file, "broken\n", 0600);
	assert_int_equal(token_file_add(folder.file, "t", text, &token, &why),
			 TOKEN_FILE_E_REFUSED);
	assert_int_equal(token_file_remove(folder.file, "i", &found, &why), TOKEN_FILE_E_REFUSED);
	in = fopen(folder.file, "r");
	assert_non_null(in);
	assert_int_equal(fread(kept, 1, sizeof(kept) - 1, in), 7);
	fclose(in);
	assert_string_equal(kept, "broken\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_or_refused),
		cmocka_unit_test(a_folder_is_refused),
		cmocka_unit_test(a_link_stays_a_link),
		cmocka_unit_test(the_group_of_roots_file_stays),
		cmocka_unit_test(a_token_is_found_among_many),
		cmocka_unit_test(tokens_are_added_and_removed),
		cmocka_unit_test(a_broken_file_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
