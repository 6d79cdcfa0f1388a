/* The history's file: it is locked, opened and checked, and replaced where it cannot be used. */
#pragma once

#include "base/memory.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Makes the directory (0700) if it is not there, and locks <data_dir>/lock. Returns the descriptor,
 * which the caller closes, or a negative errno after logging; -EBUSY: another process has it. */
int history_file_lock(const char *data_dir) _must_check_;

/* Whether a call that opened the file, or prepared a statement, failed because it is damaged, no
 * database, or without a table: it is to be made anew. */
bool history_file_is_unusable(sqlite3 *db);

/* Opens the file to write. One that is damaged or of another schema is removed and made again; one
 * that cannot be read now is left as it is. Returns 0 or a negative errno after logging. */
int history_file_open(const char *file, sqlite3 **out) _must_check_;

enum { HISTORY_FILE_E_OTHER = 1 };

/* Writes into a new file the topic that it is of. Returns 0, HISTORY_FILE_E_OTHER where it is of
 * another one, or -EIO. */
int history_file_claim(sqlite3 *db, const char *source) _must_check_;
/* Opens it to read. Returns SQLite's result code; `*out` tells the error, and is the caller's, also
 * then. */
int history_file_open_readonly(const char *file, sqlite3 **out) _must_check_;
/* Removes the file and those that SQLite keeps beside it. Returns 0 or a negative errno after
 * logging. */
int history_file_remove(const char *file) _must_check_;
