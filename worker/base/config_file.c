#include "base/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int config_file_read(const char *path, struct stat *stat, struct buffer *out) {
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	char block[16384];
	ssize_t len;

	if (fd < 0)
		return -errno;
	if (fstat(fd, stat) < 0)
		r = -errno;
	while (r == 0 && (len = read(fd, block, sizeof(block))) != 0) {
		if (len > 0)
			buffer_append(out, block, (size_t)len);
		else if (errno != EINTR)
			r = -errno;
		if (out->overflowed)
			r = -EFBIG;
	}
	close(fd);
	return r;
}

const char *config_file_find_unsafe(const struct stat *stat) {
	if (!S_ISREG(stat->st_mode))
		return NULL;
	if (stat->st_mode & S_IWOTH)
		return "unsafe file: others may write to it (chmod o-w)";
	if (stat->st_mode & S_IWGRP && stat->st_gid != getegid())
		return "unsafe file: its group may write to it (chmod g-w)";
	return NULL;
}
