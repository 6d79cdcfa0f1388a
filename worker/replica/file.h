/* The replica's file: it is locked, opened and checked, and replaced where it cannot be used. */
#pragma once

#include "base/memory.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Makes the directory (0700) if it is not there, and locks <data_dir>/lock. Returns the descriptor,
 * which the caller closes, or a negative errno after logging; -EBUSY: another process has it. */
int file_lock(const char *data_dir) _must_check_;

/* Opens the file to write. A file of another schema, cluster or boot, or one that was not filled to
 * the end, is removed and made again: then `*is_new`. Returns 0 or a negative errno after logging.
 */
int file_open(const char *file, const char *cluster_id, sqlite3 **out, bool *is_new) _must_check_;
/* Opens a worker's file to read. Returns 0, or after logging -ENOENT without the file, -EINVAL when
 * it is of another schema or was not filled to the end, or -EIO. */
int file_open_readonly(const char *file, sqlite3 **out) _must_check_;
/* The endings of the names of its files: the database, and those that SQLite keeps beside it. */
enum { FILE_SUFFIXES = 4 };
extern const char *const file_suffixes[FILE_SUFFIXES];
/* Removes the file and those that SQLite keeps beside it. Returns 0 or a negative errno after
 * logging. */
int file_remove(const char *file) _must_check_;
