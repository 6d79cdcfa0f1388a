#include "terminal/table.h"

#include "base/invariant.h"

#include <stdio.h>

struct table table_new(size_t columns, const char *const *head) {
	struct table table = { .columns = columns };

	invariant(columns <= TABLE_COLUMNS_MAX, "a table has room for all its columns");
	table_add(&table, head);
	return table;
}

void table_add(struct table *table, const char *const *cells) {
	table->cells =
	    x_realloc(table->cells, (table->cell_count + table->columns) * sizeof(*table->cells));
	for (size_t i = 0; i < table->columns; i++)
		table->cells[table->cell_count++] = x_strdup(cells[i] ? cells[i] : "-");
}

void table_print(const struct table *table) {
	int width[TABLE_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < table->cell_count; i++)
		width[i % table->columns] =
		    MAX(width[i % table->columns], (int)strlen(table->cells[i]));
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t column = i % table->columns;

		if (column + 1 == table->columns)
			printf("%s\n", table->cells[i]);
		else
			printf("%-*s  ", width[column], table->cells[i]);
	}
}

void table_destroy(struct table *table) {
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){ 0 };
}
