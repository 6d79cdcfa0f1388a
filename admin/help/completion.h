/* Completion: the shells' scripts (admin/completion) ask the program for candidates, so that these
 * are always what the program accepts. */
#pragma once

#include "base/buffer.h"

/* Appends a line "candidate<TAB>description" for each completion of the last word. A candidate that
 * ends with "=" or "." is continued without a blank. The line "@files" stands for file names.
 * `words` are those behind the program's name; `count` is at least 1. */
void completion_append(struct buffer *out, const char *const *words, size_t count);
