#include "replica/folder.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/secret_file.h"
#include "replica/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct buffer *why, const char *data_dir, const char *name, const char *rule) {
	buffer_printf(why, "%s%s%s %s", data_dir, *name ? "/" : "", name, rule);
	return FOLDER_E_REFUSED;
}

static int refuse_owner(struct buffer *why, const char *data_dir, const char *name, uid_t owner) {
	_cleanup_(x_freep) char *rule = x_asprintf("is owned by user %u, and must be by this process's user (%u)%s", (unsigned)owner,
						   (unsigned)geteuid(), *name ? ": it may be deleted" : " or root");

	return refuse(why, data_dir, name, rule);
}

static int judge_folder(int fd, const char *data_dir, struct buffer *why) {
	struct stat folder;

	if (fstat(fd, &folder) < 0)
		return -errno;
	if (folder.st_uid != geteuid() && folder.st_uid != 0)
		return refuse_owner(why, data_dir, "", folder.st_uid);
	if (folder.st_mode & S_IWOTH)
		return refuse(why, data_dir, "", "can be written to by others (chmod o-w)");
	if (!(folder.st_mode & S_IWGRP))
		return 0;
	if (folder.st_uid == geteuid()) {
		log_warn("the group's right to write to the worker's folder is taken back", "folder=%s mode=%04o", log_quote(data_dir),
			 (unsigned)(folder.st_mode & 07777));
		return fchmod(fd, folder.st_mode & 07777 & ~S_IWGRP) < 0 ? -errno : 0;
	}
	return secret_file_group_is_ours(folder.st_gid) ? 0 : refuse(why, data_dir, "", "can be written to by its group (chmod g-w)");
}

static int judge_file(int fd, const char *data_dir, const char *name, bool *is_open_to_group, struct buffer *why) {
	struct stat file;

	if (fstatat(fd, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(file.st_mode))
		return refuse(why, data_dir, name, S_ISLNK(file.st_mode) ? "is a symbolic link" : "is not a regular file");
	if (file.st_uid != geteuid())
		return refuse_owner(why, data_dir, name, file.st_uid);
	if (file.st_nlink != 1)
		return refuse(why, data_dir, name, "has another name elsewhere (a hard link): it may be deleted");
	if (file.st_mode & S_IWOTH)
		return refuse(why, data_dir, name, "can be written to by others: it may be deleted");
	if (file.st_mode & S_IWGRP)
		*is_open_to_group = true; /* and stays so until it is removed */
	else if (file.st_mode & (S_IRWXG | S_IRWXO) && fchmodat(fd, name, 0600, 0) < 0)
		return -errno;
	return 0;
}

int folder_judge(const char *data_dir, bool *is_open_to_group, struct buffer *why) {
	_cleanup_(fd_closep) int fd = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_open = false;
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	r = fd < 0 ? -errno : judge_folder(fd, data_dir, why);
	for (size_t i = 0; i < FILE_SUFFIXES && !r; i++) {
		_cleanup_(x_freep) char *name = x_asprintf("replica.db%s", file_suffixes[i]);

		r = judge_file(fd, data_dir, name, &is_open, why);
	}
	if (is_open_to_group)
		*is_open_to_group = is_open;
	return r;
}

void folder_remove_leftovers(const char *data_dir) {
	static const char prefix[] = "etilqs_"; /* SQLITE_TEMP_FILE_PREFIX */
	DIR *folder = opendir(data_dir);

	if (!folder)
		return;
	for (const struct dirent *entry; (entry = readdir(folder));)
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && unlinkat(dirfd(folder), entry->d_name, 0) < 0)
			log_warn("a temporary file that was left behind cannot be removed", "name=%s error=%s", log_quote(entry->d_name),
				 log_quote(strerror(errno)));
	closedir(folder);
}
