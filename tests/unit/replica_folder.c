/* Who may write to the worker's folder and to the replica's files in it. */
#include "replica/folder.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USER = 64001, GROUP = 64004, OTHER_GROUP = 64005 };

static char directory[] = "/tmp/posthorn-folder-XXXXXX";
static char file[64];

static int make_directory(void **state _unused_) {
	if (!mkdtemp(directory))
		return -1;
	snprintf(file, sizeof(file), "%s/replica.db", directory);
	return 0;
}

static int remove_directory(void **state _unused_) {
	return rmdir(directory);
}

/* Of our own unless a row says otherwise; only root can make another's, and a group's of its own.
 */
static const struct {
	const char *name;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	const char *why; /* part of the sentence; NULL: trusted */
	mode_t mode_after;
} folders[] = {
	{ "as it is made", 0, 0, 0700, NULL, 0700 },
	{ "others may look", 0, 0, 0755, NULL, 0755 },
	{ "our own, its group may write", 0, GROUP, 02770, NULL, 02750 },
	{ "others may write", 0, 0, 0707, "can be written to by others (chmod o-w)", 0 },
	{ "others may write, but not to what is not theirs", 0, 0, 01777,
	  "can be written to by others", 0 },
	{ "another user's", USER, 0, 0700,
	  "is owned by user 64001, and must be by this process's user (0) or root", 0 },
}, files[] = {
	{ "as it is made", 0, 0, 0600, NULL, 0600 },
	{ "others may read", 0, 0, 0644, NULL, 0600 },
	{ "its group may write", 0, GROUP, 0660, NULL, 0660 },
	{ "others may write", 0, 0, 0602, "/replica.db can be written to by others", 0 },
	{ "another user's", USER, 0, 0600,
	  "/replica.db is owned by user 64001, and must be by this process's user (0): it may be "
	  "deleted", 0 },
};

static void judge_row(const char *name, const char *path, const char *why, mode_t mode_after,
		      bool is_open_expected) {
	_cleanup_(buffer_destroy) struct buffer sentence = BUFFER_INIT(4096);
	bool is_open = false;
	struct stat after;
	int r = folder_secure(directory, &is_open, &sentence);

	if (r != (why ? FOLDER_E_REFUSED : 0) || (why && !strstr(sentence.data, why)))
		fail_msg("%s: %d %s", name, r, sentence.len ? sentence.data : "");
	assert_int_equal(stat(path, &after), 0);
	if (!why && ((after.st_mode & 07777) != mode_after || is_open != is_open_expected))
		fail_msg("%s: mode %o, open to the group: %d", name,
			 (unsigned)after.st_mode & 07777, is_open);
}

static void folders_are_judged_by_owner_and_mode(void **state _unused_) {
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		assert_int_equal(chown(directory, folders[i].uid, folders[i].gid), 0);
		assert_int_equal(chmod(directory, folders[i].mode), 0);
		judge_row(folders[i].name, directory, folders[i].why, folders[i].mode_after, false);
	}
	assert_int_equal(chown(directory, 0, 0), 0);
	assert_int_equal(chmod(directory, 0700), 0);
}

static void make_file(void) {
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void files_are_judged_by_owner_and_mode(void **state _unused_) {
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		make_file();
		assert_int_equal(chown(file, files[i].uid, files[i].gid), 0);
		assert_int_equal(chmod(file, files[i].mode), 0);
		judge_row(files[i].name, file, files[i].why, files[i].mode_after,
			  files[i].mode & S_IWGRP);
		unlink(file);
	}
}

static void a_linked_file_is_refused(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	_cleanup_(x_freep) char *other = x_asprintf("%s/other", directory),
				*wal = x_asprintf("%s-wal", file);

	make_file();
	assert_int_equal(link(file, other), 0);
	assert_int_equal(folder_judge(directory, &why), FOLDER_E_REFUSED);
	assert_non_null(strstr(why.data, "/replica.db has another name elsewhere"));
	unlink(other);
	buffer_clear(&why);
	assert_int_equal(symlink("/etc/passwd", wal), 0);
	assert_int_equal(folder_judge(directory, &why), FOLDER_E_REFUSED);
	assert_non_null(strstr(why.data, "/replica.db-wal is a symbolic link"));
	unlink(wal);
	unlink(file);
}

static void a_missing_folder_needs_a_parent(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	_cleanup_(x_freep) char *new = x_asprintf("%s/new", directory);

	assert_int_equal(folder_judge(new, &why), 0);
	assert_int_equal(access(new, F_OK), -1);
	assert_int_equal(folder_judge("/nonexistent/folder", &why), FOLDER_E_REFUSED);
	assert_string_equal(
	    why.data,
	    "/nonexistent/folder cannot be made in /nonexistent: No such file or directory");
}

static void judging_changes_nothing(void **state _unused_) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(4096);
	struct stat folder, replica;

	make_file();
	assert_int_equal(chmod(directory, 0770), 0);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(folder_judge(directory, &why), 0);
	assert_int_equal(stat(directory, &folder), 0);
	assert_int_equal(stat(file, &replica), 0);
	assert_int_equal(folder.st_mode & 07777, 0770);
	assert_int_equal(replica.st_mode & 07777, 0644);
	assert_int_equal(chmod(directory, 0700), 0);
	unlink(file);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_judged_by_owner_and_mode),
		cmocka_unit_test(files_are_judged_by_owner_and_mode),
		cmocka_unit_test(a_linked_file_is_refused),
		cmocka_unit_test(a_missing_folder_needs_a_parent),
		cmocka_unit_test(judging_changes_nothing),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
