/* The replica's file: locked, opened, checked, and made anew where it cannot be used. */
#pragma once

#include "base/memory.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Makes the directory (0700) if need be, and locks <data_dir>/lock. Returns the descriptor, or a
 * negative errno after logging: -EBUSY. */
int file_lock(const char *data_dir) _must_check_;

/* Opens the file to write, anew if it is not of this schema, cluster and boot, or was not filled
 * whole. Returns 0 or a negative errno after logging. */
int file_open(const char *file, const char *cluster_id, sqlite3 **out, bool *is_new) _must_check_;
/* Opens to read what a worker wrote: -ENOENT without the file, -EINVAL when it is not of this
 * schema, -EIO. */
int file_open_readonly(const char *file, sqlite3 **out) _must_check_;
/* What the names of its files end with: the database, and what SQLite keeps beside it. */
enum { FILE_SUFFIXES = 4 };
extern const char *const file_suffixes[FILE_SUFFIXES];
/* Removes the file and what SQLite keeps beside it. */
int file_remove(const char *file) _must_check_;
