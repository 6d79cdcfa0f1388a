/* A configuration file as the system has it: its text, and who may write to it. */
#pragma once

#include "base/buffer.h"

#include <sys/stat.h>

/* Reads all of it, as far as `out` has room. Returns 0, or the negative errno of open, fstat or
 * read; or -EFBIG. */
int config_file_read(const char *path, struct stat *stat, struct buffer *out) _must_check_;

/*
 * The reason why the file is not to be believed, or NULL. Whoever can write to it decides where
 * secrets are read from and where callbacks may go. The process's own group is trusted: many
 * systems give each user such a group, and files that it may write to.
 */
const char *config_file_find_unsafe(const struct stat *stat);
