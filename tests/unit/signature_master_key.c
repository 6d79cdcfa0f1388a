#include "signature/master_key.h"
#include "signature/signer.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD_KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static char directory[] = "/tmp/posthorn-master-key-XXXXXX";
static char path[128];

static int make_directory(void **state) {
	(void)state;
	snprintf(path, sizeof(path), "%s/key", mkdtemp(directory));
	return 0;
}

static int remove_directory(void **state) {
	(void)state;
	return rmdir(directory);
}

static void write_file(const char *content, mode_t mode) {
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static const struct {
	const char *name;
	const char *content;
	mode_t mode;
	const char *why; /* part of the sentence; NULL: loads */
} files[] = {
	{ "a key", GOOD_KEY "\n", 0600, NULL },
	{ "without a line feed", GOOD_KEY, 0600, NULL },
	{ "only readable", GOOD_KEY "\n", 0400, NULL },
	{ "group may read", GOOD_KEY "\n", 0640, "has mode 0640" },
	{ "others may read", GOOD_KEY "\n", 0604, "has mode 0604" },
	{ "executable", GOOD_KEY "\n", 0700, "has mode 0700" },
	{ "empty", "", 0600, "does not hold a key" },
	{ "too short", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh\n", 0600,
	  "does not hold a key" },
	{ "too long", GOOD_KEY "A\n", 0600, "does not hold a key" },
	{ "two lines", GOOD_KEY "\n\n", 0600, "does not hold a key" },
	{ "carriage return", GOOD_KEY "\r\n", 0600, "does not hold a key" },
	{ "base64, not base64url", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+\n", 0600,
	  "does not hold a key" },
	{ "a byte beyond ASCII",
	  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH\xe2"
	  "8\n",
	  0600, "does not hold a key" },
	{ "bits after the last byte", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\n", 0600,
	  "does not hold a key" },
	{ "a large file", GOOD_KEY "\n" GOOD_KEY "\n" GOOD_KEY "\n", 0600, "does not hold a key" },
};

static void files_are_loaded_or_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
		_cleanup_(master_key_freep) struct master_key *key = NULL;
		int r;

		write_file(files[i].content, files[i].mode);
		r = master_key_load(path, &key, &why);
		unlink(path);
		if (r != (files[i].why ? MASTER_KEY_E_REFUSED : 0) ||
		    (files[i].why && !strstr(why.data, files[i].why)))
			fail_msg("%s: %d %s", files[i].name, r, why.len ? why.data : "");
	}
}

static void assert_refused(const char *expected) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	_cleanup_(master_key_freep) struct master_key *key = NULL;

	assert_int_equal(master_key_load(path, &key, &why), MASTER_KEY_E_REFUSED);
	if (!strstr(why.data, expected))
		fail_msg("'%s' says nothing of '%s'", why.data, expected);
}

static void only_a_regular_file_is_loaded(void **state) {
	(void)state;
	assert_refused("does not exist");
	assert_int_equal(symlink("nowhere", path), 0);
	assert_refused("does not exist");
	unlink(path);
	assert_int_equal(symlink("key", path), 0);
	assert_refused("is a symbolic link, or behind a chain of them without an end");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused("is not a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused("is not a regular file");
	rmdir(path);
}

static void a_file_of_another_owner_is_refused(void **state) {
	(void)state;
	if (geteuid() != 0)
		skip();
	write_file(GOOD_KEY "\n", 0600);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_refused("is owned by user 12345");
	unlink(path);
}

static void a_generated_key_overwrites_nothing(void **state) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	_cleanup_(master_key_freep) struct master_key *first = NULL, *second = NULL;
	mode_t mask = umask(0277);
	struct stat st;
	int r;

	(void)state;
	r = master_key_generate(path, &why);
	umask(mask);
	assert_int_equal(r, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 44);
	assert_int_equal(master_key_load(path, &first, &why), 0);

	assert_int_equal(master_key_generate(path, &why), MASTER_KEY_E_REFUSED);
	assert_non_null(strstr(why.data, "exists already"));
	assert_int_equal(master_key_load(path, &second, &why), 0);
	assert_string_equal(master_key_id(first), master_key_id(second));
	unlink(path);
}

static struct master_key *good_key(void) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	struct master_key *key;

	write_file(GOOD_KEY "\n", 0600);
	assert_int_equal(master_key_load(path, &key, &why), 0);
	unlink(path);
	return key;
}

/*
 * What keys were derived once must be derived for ever, or callbacks stop to verify. Expected
 * values by Python's hashlib.blake2b and the cryptography package over the construction in
 * master_key.h.
 */
static void derivation_is_fixed(void **state) {
	static const struct {
		const char *tenant;
		int32_t epoch;
		const char *kid;
	} rows[] = {
		{ "tenant-a", 1, "f123m27pl1rP1l8ley5SR_bJiy5h9rYB0AD0U9HCoX0" },
		{ "tenant-a", 2, "sV82uTeIe8K8xS_eBSh0MurchunqW9y5rrmZQpKTpuE" },
		{ "tenant-b", 1, "EAYfl0iITEk4B7cmFGGi8HuuqVk4vRRG9Z090CtDbzs" },
		{ "", 1, "ebutySdacsGJCaEEhxCAyn5mkmVzJ9CzSXgVa3xhaWc" },
	};
	_cleanup_(master_key_freep) struct master_key *key = good_key();

	(void)state;
	assert_string_equal(master_key_id(key), "EZbMQMORAZNChoRu");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(signer_unrefp) struct signer *signer =
		    signer_derive(key, rows[i].tenant, rows[i].epoch);

		assert_string_equal(signer_kid(signer), rows[i].kid);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_loaded_or_refused),
		cmocka_unit_test(only_a_regular_file_is_loaded),
		cmocka_unit_test(a_file_of_another_owner_is_refused),
		cmocka_unit_test(a_generated_key_overwrites_nothing),
		cmocka_unit_test(derivation_is_fixed),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
