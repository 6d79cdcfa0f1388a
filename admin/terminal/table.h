/* Aligned columns on stdout, for people. */
#pragma once

#include "base/memory.h"

#include <stddef.h>

enum { TABLE_COLUMNS_MAX = 9 };

struct table {
	size_t columns;
	char **cells; /* owned, row after row; the first row is the head */
	size_t cell_count;
};

/* A table with a head of `columns` names. */
struct table table_new(size_t columns, const char *const *head);
/* Adds a row; the cells are copied, NULL shows as "-". */
void table_add(struct table *table, const char *const *cells);
void table_print(const struct table *table);
void table_destroy(struct table *table);
