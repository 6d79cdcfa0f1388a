/* All subcommands and their common options: the source of parsing, help, the manual page and
 * completion. */
#pragma once

#include "command/command.h"

/* The families' tables, ended with NULL; in the order in which they are shown. */
extern const struct subcommand *const catalog_families[];

/* --config, --set, ...; and the options for packaging and shells, which help does not show:
 * --complete, --print-manual. */
extern const struct flag catalog_common_flags[];
extern const struct flag catalog_hidden_flags[];

/* The first row of a family, or NULL. */
const struct subcommand *catalog_family(const char *name);
/* The row of `verb` in a family, or NULL. The row of a family without verbs, whatever the verb. */
const struct subcommand *catalog_find(const struct subcommand *family, const char *verb);

/* "webhook get"; with operands "webhook get ID". Owned by the caller. */
char *catalog_name(const struct subcommand *row, bool with_operands);
