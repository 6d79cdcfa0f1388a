/*
 * Completion: the shells' scripts (admin/completion) are short, since they ask the program what may
 * come next; so it cannot say anything else than the program takes.
 */
#pragma once

#include "base/buffer.h"

/*
 * Appends a line "candidate<TAB>description" for each thing that the last word may become, the ones
 * before it being there. A candidate that ends with "=" or "." goes on without a blank. The line
 * "@files": a file's name. The words are those behind the program's name; count >= 1.
 */
void completion_append(struct buffer *out, const char *const *words, size_t count);
