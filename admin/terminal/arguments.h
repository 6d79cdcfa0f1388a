/* The command line: flags from tables, operands, and the help that follows from the same tables. */
#pragma once

#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One row of a table of flags, which ends with an empty row. */
struct flag {
	const char *name;  /* without the dashes */
	const char *value; /* the value as the help shows it: FILE, or the choices pending|dead;
			      NULL: a switch */
	const char *help;
};

/* A given flag. */
struct argument {
	const struct flag *flag;
	const char *value; /* NULL: a switch */
};

/* All text borrows from argv. */
struct arguments {
	struct argument *given; /* owned, in order */
	size_t given_count;
	const char **operands; /* owned */
	size_t operand_count;
};

void arguments_destroy(struct arguments *arguments);

enum { ARGUMENTS_E_REFUSED = 1 };

/* Adds argv[1..] to `arguments`. `tables` ends with NULL. With `stop_at_operand`, parsing ends at
 * the first operand; `*next` (may be NULL) is its index, or argc. Returns 0, or ARGUMENTS_E_REFUSED
 * after naming the wrong argument on stderr. */
int arguments_parse(struct arguments *arguments, const struct flag *const *tables,
		    bool stop_at_operand, int argc, char **argv, int *next) _must_check_;

/* The last given value, or NULL. */
const char *arguments_get(const struct arguments *arguments, const char *name);
bool arguments_has(const struct arguments *arguments, const char *name);
/* Every value of a repeatable flag, in order: an array owned by the caller, whose texts borrow from
 * argv. */
const char **arguments_get_all(const struct arguments *arguments, const char *name, size_t *count);

/* Prints the table as two columns. */
void arguments_print_flags(FILE *out, const struct flag *table);

/* Splits "a,b" into a list owned by the caller, one allocation with its text. Drops blanks around
 * an item, and keeps empty items. */
const char **arguments_split_list(const char *text, size_t *count);
