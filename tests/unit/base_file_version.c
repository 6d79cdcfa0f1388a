#include "base/file_version.h"
#include "base/memory.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
	char path[64];
	char *file, *other; /* owned */
};

static struct folder folder_make(void) {
	struct folder folder = { .path = "/tmp/posthorn-version.XXXXXX" };

	assert_non_null(mkdtemp(folder.path));
	folder.file = x_asprintf("%s/file", folder.path);
	folder.other = x_asprintf("%s/other", folder.path);
	return folder;
}

static void folder_remove(struct folder *folder) {
	unlink(folder->file);
	unlink(folder->other);
	assert_int_equal(rmdir(folder->path), 0);
	free(folder->file);
	free(folder->other);
}

static void write_text(const char *file, const char *text) {
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void nothing(const struct folder *folder _unused_) {
}

static void write_more(const struct folder *folder) {
	write_text(folder->file, "longer");
}

static void put_another(const struct folder *folder) {
	assert_int_equal(rename(folder->other, folder->file), 0);
}

static void remove_it(const struct folder *folder) {
	assert_int_equal(unlink(folder->file), 0);
}

static void lead_elsewhere(const struct folder *folder) {
	remove_it(folder);
	assert_int_equal(symlink("other", folder->file), 0);
}

static const struct {
	const char *name;
	void (*change)(const struct folder *folder);
	bool is_same;
} rows[] = {
	{ "nothing", nothing, true },
	{ "it is written", write_more, false },
	{ "another takes its place", put_another, false },
	{ "it is removed", remove_it, false },
	{ "a link takes its place", lead_elsewhere, false },
};

/* Each shows by more than the time: all of it may happen within one tick of the file system. */
static void a_change_is_seen(void **state _unused_) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(folder_remove) struct folder folder = folder_make();
		struct file_version before, after;

		write_text(folder.file, "text");
		write_text(folder.other, "text");
		before = file_version_of(folder.file);
		rows[i].change(&folder);
		after = file_version_of(folder.file);
		if (file_version_is_same(&before, &after) != rows[i].is_same)
			fail_msg("%s", rows[i].name);
	}
}

static void a_missing_file_stays_the_same(void **state _unused_) {
	struct file_version a = file_version_of("/nowhere/at/all"),
			    b = file_version_of("/nowhere/else");

	assert_true(file_version_is_same(&a, &b));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_seen),
		cmocka_unit_test(a_missing_file_stays_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
