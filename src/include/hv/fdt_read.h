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

/*
 * fdt_read_cells() - a number of count cells, of which *cells moves past. fdt_read_u32() - a
 * property of one cell, or otherwise.
 */
u64 fdt_read_cells(const fdt32_t **cells, int count);
u32 fdt_read_u32(const void *fdt, int node, const char *name, u32 otherwise);

/* fdt_read_okay() - the node may be used: its status says so, or nothing. */
bool fdt_read_okay(const void *fdt, int node);

/*
 * fdt_read_reg() - range number index of a reg property, in the cells of the parent node. False:
 * there is none, or it is empty, wraps, or is written in cells that nobody uses.
 */
bool fdt_read_reg(const void *fdt, int parent, int node, u32 index, u64 *base, u64 *size);

/* fdt_read_untranslated() - every bus between the node and the root maps addresses one to one. */
bool fdt_read_untranslated(const void *fdt, int node);

/*
 * fdt_read_irq_parent() - the controller or nexus that a node's interrupts property speaks to
 * (Devicetree Specification v0.4, 2.4). Negative: none.
 */
int fdt_read_irq_parent(const void *fdt, int node);

/* fdt_make_printable() - text out of a tree, on its way into the log: printable ASCII only. */
static inline void fdt_make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

#endif
