/* The *.avsc of a folder. */
#pragma once

#include "base/buffer.h"

enum { SCHEMA_FILE_MAX = 1024 * 1024, SCHEMA_FILES_E_REFUSED = 1 };

/* Takes one file; returns 0, or 1 after appending the problem. */
typedef int (*schema_files_fn)(void *userdata, const char *path, const char *json, size_t len);

/* Tries all files, so that every problem is reported. Returns 0, or SCHEMA_FILES_E_REFUSED with a
 * line for each. */
int schema_files_read(const char *dir, schema_files_fn fn, void *userdata,
		      struct buffer *problems) _must_check_;
