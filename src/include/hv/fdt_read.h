/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every reader of a flattened device tree needs and libfdt lacks. The tree has passed
 * fdt_check_full(); its contents are still anybody's.
 */
#ifndef HV_FDT_READ_H
#define HV_FDT_READ_H

#include <libfdt.h>

#include <hv/string.h>
#include <hv/types.h>

/* fdt_read_string() - a property that is one whole string; NULL: absent or something else. */
static inline const char *fdt_read_string(const void *fdt, int node, const char *name)
{
	int size;
	const char *text = fdt_getprop(fdt, node, name, &size);

	return text && size > 0 && strnlen(text, (size_t)size) == (size_t)size - 1 ? text : NULL;
}

/* fdt_make_printable() - text out of a tree, on its way into the log: printable ASCII only. */
static inline void fdt_make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

#endif
