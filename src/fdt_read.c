/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers, states and interrupt parents of the nodes of a flattened tree. */
#include <hv/fdt_read.h>

/* A number of count cells; what exceeds 64 bits is lost. */
u64 fdt_read_cells(const fdt32_t **cells, int count)
{
	u64 value = 0;

	for (; count > 0; count--)
		value = value << 32 | fdt32_ld((*cells)++);
	return value;
}

u32 fdt_read_u32(const void *fdt, int node, const char *name, u32 otherwise)
{
	int size;
	const fdt32_t *cell = fdt_getprop(fdt, node, name, &size);

	return cell && size == 4 ? fdt32_ld(cell) : otherwise;
}

/* No status means okay (Devicetree Specification v0.4, 2.3.4). */
bool fdt_read_okay(const void *fdt, int node)
{
	const char *text = fdt_read_string(fdt, node, "status");

	return !fdt_getprop(fdt, node, "status", NULL) ||
	       (text && (!strcmp(text, "okay") || !strcmp(text, "ok")));
}

bool fdt_read_reg(const void *fdt, int parent, int node, u32 index, u64 *base, u64 *size)
{
	int address_cells = fdt_address_cells(fdt, parent);
	int size_cells = fdt_size_cells(fdt, parent);
	int bytes;
	const fdt32_t *cells = fdt_getprop(fdt, node, "reg", &bytes);
	int entry = address_cells + size_cells;

	if (!cells || address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2 ||
	    (u64)index + 1 > (u64)bytes / ((u64)entry * 4))
		return false;
	cells += (u64)index * (u64)entry;
	*base = fdt_read_cells(&cells, address_cells);
	*size = fdt_read_cells(&cells, size_cells);
	return range_valid(*base, *size);
}

bool fdt_read_untranslated(const void *fdt, int node)
{
	int parent = fdt_parent_offset(fdt, node);
	int size;

	for (; parent > 0; parent = fdt_parent_offset(fdt, parent)) {
		if (!fdt_getprop(fdt, parent, "ranges", &size) || size != 0)
			return false;
	}
	return parent == 0;
}

/* Each step names an ancestor or, by phandle, any node; a tree that goes in circles ends here. */
#define IRQ_STEPS 16

int fdt_read_irq_parent(const void *fdt, int node)
{
	for (u32 step = 0; step < IRQ_STEPS; step++) {
		u32 phandle = fdt_read_u32(fdt, node, "interrupt-parent", 0);

		node = phandle ? fdt_node_offset_by_phandle(fdt, phandle) :
				 fdt_parent_offset(fdt, node);
		if (node < 0 || fdt_getprop(fdt, node, "#interrupt-cells", NULL))
			return node;
	}
	return -FDT_ERR_NOTFOUND;
}
