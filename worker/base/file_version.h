/* Which version of a file a path leads to, for those that read a changed file again. Links are
 * followed, as those by which Kubernetes exchanges a Secret. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

struct file_version {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written, changed;
};

/* A file that is not there has a version of zeros. Ask before the file is read: one that is written
 * meanwhile has another version at the next look. */
struct file_version file_version_of(const char *path);
bool file_version_is_same(const struct file_version *a, const struct file_version *b);
