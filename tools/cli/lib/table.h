/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of JSON objects as tables for people. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <stddef.h>

struct column {
	const char *name;
	int flags;	/* SCOLS_FL_* */
	/* the text of an object in this column, perhaps in buf */
	const char *(*text)(const json_t *one, char *buf, size_t size);
};

/* table_print() - a line for each object of the list. */
void table_print(const json_t *list, const struct column *columns, size_t count);

#endif
