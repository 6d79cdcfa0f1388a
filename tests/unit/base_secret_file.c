#include "base/secret_file.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	USER = 64001,
	OTHER_USER = 64002,
	GROUP = 64003,
	GROUP_BESIDE = 64004,
	OTHER_GROUP = 64005,
	ROOT = 0
};

/* Of a process of USER and GROUP, with GROUP_BESIDE as a supplementary group. */
static const struct row {
	const char *name;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	const char *why; /* part of the sentence; NULL: may be used */
} of_user[] = {
	{ "its own", USER, GROUP, 0600, NULL },
	{ "its own, only to read", USER, GROUP, 0400, NULL },
	{ "its own, of another group", USER, OTHER_GROUP, 0600, NULL },
	{ "its own, its group may read", USER, GROUP, 0640,
	  "has mode 0640 and must have 0600 or less, since this process's user owns it (chmod "
	  "600)" },
	{ "its own, others may read", USER, GROUP, 0604, "must have 0600 or less" },
	{ "its own, executable", USER, GROUP, 0700, "must have 0600 or less" },
	{ "its own, set-user-id", USER, GROUP, 04600, "has mode 4600" },
	{ "its own on a volume with fsGroup, mounted again", USER, GROUP_BESIDE, 0660,
	  "(chmod 600; where Kubernetes' fsGroup did that: mount it as a Secret with defaultMode "
	  "0440, or set fsGroupChangePolicy to OnRootMismatch)" },
	{ "root's", ROOT, ROOT, 0600, NULL },
	{ "root's, and its group is ours", ROOT, GROUP, 0640, NULL },
	{ "a Secret with fsGroup", ROOT, GROUP_BESIDE, 0440, NULL },
	{ "a Secret without a mode", ROOT, GROUP_BESIDE, 0644,
	  "has mode 0644 and must have 0640 or less, since root owns it and its group is this "
	  "process's (chmod 640)" },
	{ "root's, our group may write", ROOT, GROUP, 0660, "must have 0640 or less" },
	{ "root's, our group may execute", ROOT, GROUP, 0650, "must have 0640 or less" },
	{ "root's, and another group may read", ROOT, OTHER_GROUP, 0640,
	  "must have 0600 or less, since root owns it and its group is not this process's" },
	{ "root's, and root's group may read", ROOT, ROOT, 0640, "must have 0600 or less" },
	{ "another user's", OTHER_USER, GROUP, 0600,
	  "is owned by user 64002, and must be by this process's user (64001) or root" },
	{ "another user's, our group may read", OTHER_USER, GROUP, 0640, "is owned by user 64002" },
};

/* Of a process that runs as root, in root's group and GROUP_BESIDE. */
static const struct row of_root[] = {
	{ "its own", ROOT, ROOT, 0600, NULL },
	{ "its own, root's group may read", ROOT, ROOT, 0640,
	  "has mode 0640 and must have 0600 or less, since this process's user owns it" },
	{ "a Secret with fsGroup", ROOT, GROUP_BESIDE, 0440, NULL },
	{ "its own, and a group that it is not in may read", ROOT, OTHER_GROUP, 0640,
	  "must have 0600 or less" },
	{ "others may read", ROOT, GROUP_BESIDE, 0644, "must have 0640 or less" },
	{ "a user's", USER, ROOT, 0600,
	  "is owned by user 64001, and must be by this process's user (0) or root" },
};

static int judge_all(const struct row *rows, size_t count) {
	int wrong = 0;

	for (size_t i = 0; i < count; i++) {
		_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
		const struct stat file = { .st_uid = rows[i].uid,
					   .st_gid = rows[i].gid,
					   .st_mode = S_IFREG | rows[i].mode };
		int r = secret_file_judge(&file, &why);

		if (r == (rows[i].why ? SECRET_FILE_E_REFUSED : 0) &&
		    (!r || strstr(why.data, rows[i].why)))
			continue;
		fprintf(stderr, "%s: %d %s\n", rows[i].name, r, why.len ? why.data : "");
		wrong++;
	}
	return wrong;
}

/* In a process of its own, since it cannot become root again. Returns what `test` does. */
static int run_as(uid_t uid, gid_t gid, int (*test)(void)) {
	static const gid_t beside[] = { GROUP_BESIDE };
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (setgroups(ARRAY_LEN(beside), beside) || setresgid(gid, gid, gid) ||
		    setresuid(uid, uid, uid))
			_exit(100);
		_exit(test());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int judge_as_user(void) {
	return judge_all(of_user, ARRAY_LEN(of_user));
}

static int judge_as_root(void) {
	return judge_all(of_root, ARRAY_LEN(of_root));
}

static void owner_and_mode_decide(void **state _unused_) {
	if (geteuid() != 0)
		skip();
	assert_int_equal(run_as(USER, GROUP, judge_as_user), 0);
	assert_int_equal(run_as(ROOT, ROOT, judge_as_root), 0);
}

/* --- Opening --- */

static char directory[] = "/tmp/posthorn-secret-XXXXXX";
static char path[128], elsewhere[128];

static int make_directory(void **state _unused_) {
	if (!mkdtemp(directory) || chmod(directory, 0755))
		return -1;
	snprintf(path, sizeof(path), "%s/secret", directory);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", directory);
	return 0;
}

static int remove_directory(void **state _unused_) {
	return rmdir(directory);
}

static void make_file(const char *name, mode_t mode) {
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void assert_opens(int expected, const char *sentence) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	int fd = -1;

	assert_int_equal(secret_file_open(path, &fd, &why), expected);
	if (sentence)
		assert_non_null(strstr(why.data, sentence));
	if (expected == 0)
		assert_int_equal(close(fd), 0);
	assert_true(expected == 0 || fd == -1);
}

/* A link counts as its target: its own mode does not matter. */
static void links_are_followed(void **state _unused_) {
	make_file(elsewhere, 0600);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_opens(0, NULL);
	assert_int_equal(chmod(elsewhere, 0644), 0);
	assert_opens(SECRET_FILE_E_REFUSED, "has mode 0644");
	unlink(elsewhere);
	assert_opens(-ENOENT, NULL);
	unlink(path);
	assert_int_equal(symlink("secret", path), 0);
	assert_opens(-ELOOP, NULL);
	unlink(path);
}

static void only_a_regular_file_opens(void **state _unused_) {
	assert_opens(-ENOENT, NULL);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_opens(SECRET_FILE_E_REFUSED, "is not a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_opens(SECRET_FILE_E_REFUSED, "is not a regular file");
	rmdir(path);
}

static int open_secret(void) {
	_cleanup_(buffer_destroy) struct buffer why = BUFFER_INIT(1024);
	int fd = -1;

	return abs(secret_file_open(path, &fd, &why));
}

/* As the kubelet mounts a Secret: the file's name is a link to a link's file, and the file root's,
 * readable by the group of fsGroup. */
static void a_mounted_secret_opens(void **state _unused_) {
	char folder[128], file[256], data[128];

	if (geteuid() != 0)
		skip();
	snprintf(folder, sizeof(folder), "%s/..2026_01_31", directory);
	snprintf(data, sizeof(data), "%s/..data", directory);
	snprintf(file, sizeof(file), "%s/secret", folder);
	assert_int_equal(mkdir(folder, 0755), 0);
	make_file(file, 0440);
	assert_int_equal(chown(file, ROOT, GROUP_BESIDE), 0);
	assert_int_equal(symlink("..2026_01_31", data), 0);
	assert_int_equal(symlink("..data/secret", path), 0);
	assert_int_equal(run_as(USER, GROUP, open_secret), 0);
	assert_int_equal(chown(file, ROOT, OTHER_GROUP), 0);
	assert_int_equal(run_as(USER, GROUP, open_secret), EACCES);
	assert_int_equal(chmod(file, 0444), 0);
	assert_int_equal(run_as(USER, GROUP, open_secret), SECRET_FILE_E_REFUSED);
	unlink(path);
	unlink(data);
	unlink(file);
	rmdir(folder);
}

/* Of a file of root's: rw- for the owner, r-- as the mask, and these two. */
static bool set_access_list(const char *name, uint32_t user, uint16_t of_group) {
	const struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} list = { { POSIX_ACL_XATTR_VERSION },
		   { { ACL_USER_OBJ, ACL_READ | ACL_WRITE, (uint32_t)ACL_UNDEFINED_ID },
		     { ACL_USER, ACL_READ, user },
		     { ACL_GROUP_OBJ, of_group, (uint32_t)ACL_UNDEFINED_ID },
		     { ACL_MASK, ACL_READ, (uint32_t)ACL_UNDEFINED_ID },
		     { ACL_OTHER, 0, (uint32_t)ACL_UNDEFINED_ID } } };

	return setxattr(name, "system.posix_acl_access", &list, sizeof(list), 0) == 0;
}

/* systemd's credential: root's, and an access list lets this user read. */
static void an_access_list_may_name_this_user_alone(void **state _unused_) {
	struct stat file;

	if (geteuid() != 0)
		skip();
	make_file(path, 0600);
	if (!set_access_list(path, USER, 0)) {
		unlink(path);
		skip(); /* a file system without them */
	}
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0640); /* the mask */
	assert_int_equal(run_as(USER, GROUP, open_secret), 0);
	assert_true(set_access_list(path, USER, ACL_READ));
	assert_int_equal(run_as(USER, GROUP, open_secret), SECRET_FILE_E_REFUSED);
	assert_true(set_access_list(path, OTHER_USER, 0));
	assert_opens(SECRET_FILE_E_REFUSED, "has mode 0640");
	unlink(path);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owner_and_mode_decide),
		cmocka_unit_test(links_are_followed),
		cmocka_unit_test(only_a_regular_file_opens),
		cmocka_unit_test(a_mounted_secret_opens),
		cmocka_unit_test(an_access_list_may_name_this_user_alone),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
