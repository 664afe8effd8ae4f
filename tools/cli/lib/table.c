/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables. */
#include "table.h"

void table_print(const json_t *list, const struct column *columns, size_t count)
{
	struct libscols_table *table = scols_new_table();
	const json_t *one;
	char buf[256];
	size_t i;

	for (size_t c = 0; c < count; c++)
		scols_table_new_column(table, columns[c].name, 0, columns[c].flags);
	json_array_foreach(list, i, one) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		for (size_t c = 0; line && c < count; c++)
			scols_line_set_data(line, c, columns[c].text(one, buf, sizeof(buf)));
	}
	scols_print_table(table);
	scols_unref_table(table);
}
