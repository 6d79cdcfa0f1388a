#include "replica/folder.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/secret_file.h"
#include "replica/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct buffer *why, const char *data_dir, const char *name, const char *rule) {
	buffer_printf(why, "%s%s%s %s", data_dir, *name ? "/" : "", name, rule);
	return FOLDER_E_REFUSED;
}

static int refuse_owner(struct buffer *why, const char *data_dir, const char *name, uid_t owner) {
	_cleanup_(x_freep) char *rule = x_asprintf(
	    "is owned by user %u, and must be by this process's user (%u)%s", (unsigned)owner,
	    (unsigned)geteuid(), *name ? ": it may be deleted" : " or root");

	return refuse(why, data_dir, name, rule);
}

static int take_back_writing(int fd, const char *data_dir, mode_t mode) {
	log_warn("the group's right to write to the worker's folder is taken back",
		 "folder=%s mode=%04o", log_quote(data_dir), (unsigned)mode);
	return fchmod(fd, mode & ~S_IWGRP) < 0 ? -errno : 0;
}

static int judge_folder(int fd, const char *data_dir, bool mends, struct buffer *why) {
	struct stat folder;

	if (fstat(fd, &folder) < 0)
		return -errno;
	if (folder.st_uid != geteuid() && folder.st_uid != 0)
		return refuse_owner(why, data_dir, "", folder.st_uid);
	if (folder.st_mode & S_IWOTH)
		return refuse(why, data_dir, "", "can be written to by others (chmod o-w)");
	if (!(folder.st_mode & S_IWGRP))
		return 0;
	if (folder.st_uid == geteuid())
		return mends ? take_back_writing(fd, data_dir, folder.st_mode & 07777) : 0;
	return secret_file_group_is_ours(folder.st_gid)
		   ? 0
		   : refuse(why, data_dir, "", "can be written to by its group (chmod g-w)");
}

static int judge_file(int fd, const char *data_dir, const char *name, bool mends,
		      bool *is_open_to_group, struct buffer *why) {
	struct stat file;

	if (fstatat(fd, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(file.st_mode))
		return refuse(why, data_dir, name,
			      S_ISLNK(file.st_mode) ? "is a symbolic link"
						    : "is not a regular file");
	if (file.st_uid != geteuid())
		return refuse_owner(why, data_dir, name, file.st_uid);
	if (file.st_nlink != 1)
		return refuse(why, data_dir, name,
			      "has another name elsewhere (a hard link): it may be deleted");
	if (file.st_mode & S_IWOTH)
		return refuse(why, data_dir, name,
			      "can be written to by others: it may be deleted");
	if (file.st_mode & S_IWGRP)
		*is_open_to_group = true; /* and stays so until it is removed */
	else if (mends && file.st_mode & (S_IRWXG | S_IRWXO) && fchmodat(fd, name, 0600, 0) < 0)
		return -errno;
	return 0;
}

/* One that is not there is made, in a folder that is. */
static int judge_parent(const char *data_dir, struct buffer *why) {
	_cleanup_(x_freep) char *copy = x_strdup(data_dir);
	const char *parent = dirname(copy);

	if (access(parent, W_OK | X_OK) == 0)
		return 0;
	buffer_printf(why, "%s cannot be made in %s: %s", data_dir, parent, strerror(errno));
	return FOLDER_E_REFUSED;
}

static int judge(const char *data_dir, bool mends, bool *is_open_to_group, struct buffer *why) {
	_cleanup_(fd_closep) int fd = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? judge_parent(data_dir, why) : -errno;
	r = judge_folder(fd, data_dir, mends, why);
	for (size_t i = 0; i < FILE_SUFFIXES && !r; i++) {
		_cleanup_(x_freep) char *name = x_asprintf("replica.db%s", file_suffixes[i]);

		r = judge_file(fd, data_dir, name, mends, is_open_to_group, why);
	}
	if (r == 0 && access(data_dir, W_OK | X_OK) < 0)
		r = -errno;
	return r;
}

int folder_judge(const char *data_dir, struct buffer *why) {
	bool is_open_to_group;

	return judge(data_dir, false, &is_open_to_group, why);
}

int folder_secure(const char *data_dir, bool *is_open_to_group, struct buffer *why) {
	*is_open_to_group = false;
	return judge(data_dir, true, is_open_to_group, why);
}

void folder_remove_leftovers(const char *data_dir) {
	static const char prefix[] = "etilqs_"; /* SQLITE_TEMP_FILE_PREFIX */
	DIR *folder = opendir(data_dir);

	if (!folder)
		return;
	for (const struct dirent *entry; (entry = readdir(folder));)
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			log_warn("a temporary file that was left behind cannot be removed",
				 "name=%s error=%s", log_quote(entry->d_name),
				 log_quote(strerror(errno)));
	closedir(folder);
}
