/* Every subcommand and the options that all of them have: what the command line, its help, the
 * manual page and completion are made from. */
#pragma once

#include "command/command.h"

/* The families' tables, ended with NULL; in the order in which they are shown. */
extern const struct subcommand *const catalog_families[];

/* --config, --set, ...; and those that are for packaging and shells and not shown: --complete,
 * --print-manual. */
extern const struct flag catalog_common_flags[];
extern const struct flag catalog_hidden_flags[];

/* The first row of a family, or NULL. */
const struct subcommand *catalog_family(const char *name);
/* The row of `verb` among those of a family, or NULL. A family that is all there is to say has one
 * row, whatever the verb. */
const struct subcommand *catalog_find(const struct subcommand *family, const char *verb);

/* "webhook get"; with operands "webhook get ID". Owned by the caller. */
char *catalog_name(const struct subcommand *row, bool with_operands);
