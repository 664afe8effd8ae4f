/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices of the board that a VM has, copied into its tree as the board's tree describes them.
 * What may be copied was decided by passthrough_resolve().
 */
#include "guest_fdt_copy.h"

#include <libfdt.h>

#include <hv/fdt_read.h>
#include <hv/host_irq.h>
#include <hv/passthrough.h>
#include <hv/string.h>
#include <hv/vmdef.h>

#define SOC_CELLS 2	/* of addresses and sizes on the guest's /soc */

/*
 * A list whose entries have three numbers of these many cells, written with more cells each where
 * `to` says so.
 */
struct layout {
	int from[3];
	int to[3];
};

static int entry_cells(const int cells[3])
{
	return cells[0] + cells[1] + cells[2];
}

static void widen(const fdt32_t *from, fdt32_t *to, const struct layout *layout)
{
	for (u32 i = 0; i < 3; i++) {
		for (int zeros = layout->to[i] - layout->from[i]; zeros > 0; zeros--)
			fdt32_st(to++, 0);
		for (int left = layout->from[i]; left > 0; left--)
			fdt32_st(to++, fdt32_ld(from++));
	}
}

static int put_list(void *to, const char *name, const fdt32_t *data, int size,
		    const struct layout *layout)
{
	int from_cells = entry_cells(layout->from), to_cells = entry_cells(layout->to);
	int count = from_cells ? size / 4 / from_cells : 0;
	void *list;
	int err = fdt_property_placeholder(to, name, 4 * count * to_cells, &list);

	for (int i = 0; !err && i < count; i++)
		widen(data + i * from_cells, (fdt32_t *)list + i * to_cells, layout);
	return err;
}

/*
 * A property of a device itself. Addresses and sizes there are written in the cells of the bus it
 * is on, which on some boards are fewer than on ours. passthrough_resolve() has looked at them.
 */
static int put_own(void *to, const void *fdt, int node, const char *name, const void *data,
		   int size)
{
	int parent = fdt_parent_offset(fdt, node);
	int address = fdt_address_cells(fdt, parent), wide = fdt_size_cells(fdt, parent);
	int inner = fdt_address_cells(fdt, node), inner_wide = fdt_size_cells(fdt, node);
	const struct layout reg = { { address, wide, 0 }, { SOC_CELLS, SOC_CELLS, 0 } };
	const struct layout ranges = { { inner, address, inner_wide },
				       { inner, SOC_CELLS, inner_wide } };

	if (!strcmp(name, "reg"))
		return put_list(to, name, data, size, &reg);
	if (!strcmp(name, "ranges") || !strcmp(name, "dma-ranges"))
		return put_list(to, name, data, size, &ranges);
	return fdt_property(to, name, data, size);
}

/*
 * With an APLIC, whose specifiers have a second cell: an edge instead of a level is enough for
 * virtio-mmio, whose drivers acknowledge before they look, and saves them an access for each.
 */
static bool is_edge(const void *fdt, int node, const char *name, int size)
{
	return size == 8 && !strcmp(name, "interrupts") &&
	       fdt_node_check_compatible(fdt, node, "virtio,mmio") == 0;
}

static int put_edge(void *to, const char *name, const fdt32_t *cells)
{
	fdt32_t edge[2] = { cells[0], cpu_to_fdt32(IRQ_TRIGGER_RISING) };

	return fdt_property(to, name, edge, sizeof(edge));
}

static int copy_properties(void *to, const void *fdt, int node, bool own)
{
	int offset, err = 0;

	fdt_for_each_property_offset(offset, fdt, node) {
		const char *name;
		int size;
		const void *data = fdt_getprop_by_offset(fdt, offset, &name, &size);

		if (err || !data)
			break;
		if (is_edge(fdt, node, name, size))
			err = put_edge(to, name, data);
		else if (passthrough_copies(name))
			err = own ? put_own(to, fdt, node, name, data, size) :
				    fdt_property(to, name, data, size);
	}
	return err;
}

/* passthrough_resolve() has bounded the depth. */
static int copy_content(void *to, const void *fdt, int node, bool own)
{
	int err = copy_properties(to, fdt, node, own);
	int child;

	fdt_for_each_subnode(child, fdt, node) {
		if (!err)
			err = fdt_begin_node(to, fdt_get_name(fdt, child, NULL));
		if (!err)
			err = copy_content(to, fdt, child, false);
		if (!err)
			err = fdt_end_node(to);
	}
	return err;
}

/* The interrupt parent that a node inherits on the board, which it could not do here; 0: none. */
static u32 inherited(const void *fdt, int node)
{
	int parent = fdt_getprop(fdt, node, "interrupt-parent", NULL) ?
		     -1 : fdt_read_irq_parent(fdt, node);

	return parent < 0 ? 0 : fdt_get_phandle(fdt, parent);
}

static int copy_device(void *to, const void *fdt, int node)
{
	u32 parent = inherited(fdt, node);
	int err = fdt_begin_node(to, fdt_get_name(fdt, node, NULL));

	if (!err && parent)
		err = fdt_property_u32(to, "interrupt-parent", parent);
	if (!err)
		err = copy_content(to, fdt, node, true);
	return err ? err : fdt_end_node(to);
}

int guest_fdt_copy(void *to, const void *fdt, const struct vmdef *def, bool registers)
{
	int err = 0;

	for (u32 i = 0; !err && i < def->host_nodes; i++) {
		int node = fdt_path_offset(fdt, def->host_node[i].path);

		if ((fdt_getprop(fdt, node, "reg", NULL) != NULL) == registers)
			err = copy_device(to, fdt, node);
	}
	return err;
}

const char *guest_fdt_stdout(const void *fdt, const struct vmdef *def)
{
	const char *path = fdt_read_string(fdt, fdt_path_offset(fdt, "/chosen"), "stdout-path");
	const char *options = path ? strchr(path, ':') : NULL;
	int console;

	if (!path)
		return NULL;
	console = fdt_path_offset_namelen(fdt, path, (int)(options ? (size_t)(options - path) :
								     strlen(path)));
	for (u32 i = 0; console >= 0 && i < def->host_nodes; i++) {
		if (fdt_path_offset(fdt, def->host_node[i].path) == console)
			return fdt_get_name(fdt, console, NULL);
	}
	return NULL;
}
