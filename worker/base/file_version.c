#include "base/file_version.h"

struct file_version file_version_of(const char *path) {
	struct stat file;

	if (stat(path, &file) < 0)
		return (struct file_version){ 0 };
	return (struct file_version){ .device = file.st_dev,
				      .inode = file.st_ino,
				      .size = file.st_size,
				      .written = file.st_mtim,
				      .changed = file.st_ctim };
}

static bool is_same_time(struct timespec a, struct timespec b) {
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_version_is_same(const struct file_version *a, const struct file_version *b) {
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       is_same_time(a->written, b->written) && is_same_time(a->changed, b->changed);
}
