#include "signature/master_keys.h"
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The 32 bytes 0, 1, ..., whose id test signature_master_key fixes; and two others. */
#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define KEY_B "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
#define KEY_C "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
#define ID_A "EZbMQMORAZNChoRu"

static char directory[] = "/tmp/posthorn-master-keys-XXXXXX";

static char *path_of(const char *name) {
	return x_asprintf("%s/%s", directory, name);
}

static void write_file(const char *name, const char *content, mode_t mode) {
	_cleanup_(x_freep) char *path = path_of(name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static const struct {
	const char *name, *content;
	mode_t mode;
} files[] = {
	{ "a", KEY_A "\n", 0600 }, { "b", KEY_B "\n", 0600 },    { "c", KEY_C "\n", 0600 },
	{ "a2", KEY_A, 0600 },     { "open", KEY_C "\n", 0644 }, { "broken", "x\n", 0600 },
};

static int make_files(void **state _unused_) {
	if (!mkdtemp(directory))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		write_file(files[i].name, files[i].content, files[i].mode);
	return 0;
}

static int remove_files(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_(x_freep) char *path = path_of(files[i].name);

		unlink(path);
	}
	return rmdir(directory);
}

enum { NAMES_MAX = 4 };

/* Again where `*keys` are there already. */
static int load(const char *const *names, struct master_keys **keys, struct buffer *why) {
	char *paths[NAMES_MAX];
	size_t count = 0;
	int r;

	for (; count < NAMES_MAX && names[count]; count++)
		paths[count] = path_of(names[count]);
	r = *keys ? master_keys_reload(*keys, (const char *const *)paths, count, why)
		  : master_keys_load((const char *const *)paths, count, keys, why);
	while (count)
		free(paths[--count]);
	return r;
}

static void keys_are_found_behind_the_first(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024), ids = BUFFER_INIT(1024);
	_cleanup_(master_keys_freep) struct master_keys *keys = NULL;
	const struct master_key *first, *a;
	_cleanup_(x_freep) char *expected = NULL;

	assert_int_equal(load((const char *[NAMES_MAX]){ "b", "a" }, &keys, &why), 0);
	first = master_keys_first(keys);
	a = master_keys_find(keys, ID_A);
	assert_non_null(a);
	assert_string_equal(master_key_id(a), ID_A);
	assert_ptr_not_equal(first, a);
	assert_ptr_equal(master_keys_find(keys, master_key_id(first)), first);
	assert_null(master_keys_find(keys, "EZbMQMORAZNChoR"));
	assert_null(master_keys_find(keys, ""));
	expected = x_asprintf("%s," ID_A, master_key_id(first));
	master_keys_append_ids(keys, &ids);
	assert_string_equal(ids.data, expected);
}

static void one_key_is_the_first(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024), ids = BUFFER_INIT(1024);
	_cleanup_(master_keys_freep) struct master_keys *keys = NULL;

	assert_int_equal(load((const char *[NAMES_MAX]){ "a" }, &keys, &why), 0);
	assert_ptr_equal(master_keys_find(keys, ID_A), master_keys_first(keys));
	master_keys_append_ids(keys, &ids);
	assert_string_equal(ids.data, ID_A);
}

static const struct {
	const char *name;
	const char *files[NAMES_MAX];
	const char *why; /* after the directory */
} refusals[] = {
	{ "the same file", { "a", "b", "a" }, "/a is named twice" },
	{ "the same key", { "a", "b", "a2" }, "/a2 holds the same key as " },
	{ "missing", { "a", "nothing" }, "/nothing does not exist" },
	{ "the first one missing", { "nothing", "a" }, "/nothing does not exist" },
	{ "unsafe", { "a", "open" }, "/open has mode 0644" },
	{ "not a key", { "a", "b", "broken", "c" }, "/broken does not hold a key" },
	{ "below a file", { "a", "b/c" }, "/b/c does not exist" },
};

static void wrong_files_are_refused_by_name(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
		_cleanup_(x_freep) char *expected =
		    x_asprintf("master key file %s%s", directory, refusals[i].why);
		struct master_keys *keys = NULL;
		int r = load(refusals[i].files, &keys, &why);

		if (r != MASTER_KEY_E_REFUSED || keys ||
		    strncmp(why.data, expected, strlen(expected)) != 0)
			fail_msg("%s: %d %s", refusals[i].name, r, why.len ? why.data : "");
	}
}

/* Longer than any name may be: an error of the system that no rule of ours has words for. */
static void an_error_of_the_system_names_the_file(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	struct master_keys *keys = NULL;
	char name[301];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(load((const char *[NAMES_MAX]){ "a", name }, &keys, &why),
			 MASTER_KEY_E_REFUSED);
	assert_non_null(strstr(why.data, name));
	assert_non_null(strstr(why.data, "cannot be read: File name too long"));
}

static void expect_order(const struct master_keys *keys, const char *const *ids, size_t count) {
	_cleanup_(buffer_destroy) struct buffer expected = BUFFER_INIT(1024),
						found = BUFFER_INIT(1024);

	for (size_t i = 0; i < count; i++)
		buffer_printf(&expected, "%s%s", i ? "," : "", ids[i]);
	master_keys_append_ids(keys, &found);
	assert_string_equal(found.data, expected.data);
}

/* The steps of a roll from one key to another. */
static void a_reload_adds_a_key_and_then_puts_it_first(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	_cleanup_(master_keys_freep) struct master_keys *keys = NULL;
	const struct master_key *a, *b;

	assert_int_equal(load((const char *[NAMES_MAX]){ "a" }, &keys, &why), 0);
	a = master_keys_first(keys);
	assert_int_equal(load((const char *[NAMES_MAX]){ "a2", "b" }, &keys, &why), 0);
	assert_ptr_equal(master_keys_first(keys), a);
	assert_int_equal(load((const char *[NAMES_MAX]){ "b", "a" }, &keys, &why), 0);
	b = master_keys_first(keys);
	assert_ptr_not_equal(b, a);
	assert_ptr_equal(master_keys_find(keys, ID_A), a);
	expect_order(keys, (const char *[]){ master_key_id(b), ID_A }, 2);
}

static void a_reload_without_a_known_key_changes_nothing(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	_cleanup_(master_keys_freep) struct master_keys *keys = NULL;
	const struct master_key *first;

	assert_int_equal(load((const char *[NAMES_MAX]){ "b", "a" }, &keys, &why), 0);
	first = master_keys_first(keys);
	assert_int_equal(load((const char *[NAMES_MAX]){ "b", "c" }, &keys, &why),
			 MASTER_KEY_E_REFUSED);
	assert_non_null(strstr(why.data, "master key " ID_A " is in none of the files"));
	assert_int_equal(load((const char *[NAMES_MAX]){ "b", "a", "broken" }, &keys, &why),
			 MASTER_KEY_E_REFUSED);
	assert_ptr_equal(master_keys_first(keys), first);
	expect_order(keys, (const char *[]){ master_key_id(first), ID_A }, 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found_behind_the_first),
		cmocka_unit_test(one_key_is_the_first),
		cmocka_unit_test(wrong_files_are_refused_by_name),
		cmocka_unit_test(an_error_of_the_system_names_the_file),
		cmocka_unit_test(a_reload_adds_a_key_and_then_puts_it_first),
		cmocka_unit_test(a_reload_without_a_known_key_changes_nothing),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
