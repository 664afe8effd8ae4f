/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices of the board that a VM has, copied into its tree as the board's tree describes them.
 * What may be copied was decided by passthrough_resolve().
 */
#include "guest_fdt_copy.h"

#include <libfdt.h>

#include <hv/fdt_read.h>
#include <hv/passthrough.h>
#include <hv/string.h>
#include <hv/vmdef.h>

static struct bus_cells cells_of(const void *fdt, int node)
{
	int parent = fdt_parent_offset(fdt, node);

	if (!fdt_getprop(fdt, node, "reg", NULL))
		return (struct bus_cells){ 2, 2 };
	return (struct bus_cells){ fdt_address_cells(fdt, parent), fdt_size_cells(fdt, parent) };
}

/* The node of host_node[i] when it belongs on such a bus, else negative. */
static int node_on(const void *fdt, const struct vmdef *def, u32 i, struct bus_cells cells)
{
	int node = fdt_path_offset(fdt, def->host_node[i].path);
	struct bus_cells own;

	if (node < 0)
		return node;
	own = cells_of(fdt, node);
	return own.address == cells.address && own.size == cells.size ? node : -FDT_ERR_NOTFOUND;
}

bool guest_fdt_has_host(const void *fdt, const struct vmdef *def, struct bus_cells cells)
{
	for (u32 i = 0; i < def->host_nodes; i++) {
		if (node_on(fdt, def, i, cells) >= 0)
			return true;
	}
	return false;
}

static int copy_properties(void *to, const void *fdt, int node)
{
	int offset, err = 0;

	fdt_for_each_property_offset(offset, fdt, node) {
		const char *name;
		int size;
		const void *data = fdt_getprop_by_offset(fdt, offset, &name, &size);

		if (err || !data)
			break;
		if (passthrough_copies(name))
			err = fdt_property(to, name, data, size);
	}
	return err;
}

/* passthrough_resolve() has bounded the depth. */
static int copy_node(void *to, const void *fdt, int node, u32 plic)
{
	int err = fdt_begin_node(to, fdt_get_name(fdt, node, NULL));
	int child;

	if (!err)
		err = copy_properties(to, fdt, node);
	/* What the node inherits on the board, it cannot inherit here. */
	if (!err && plic && !fdt_getprop(fdt, node, "interrupt-parent", NULL))
		err = fdt_property_u32(to, "interrupt-parent", plic);
	fdt_for_each_subnode(child, fdt, node) {
		if (!err)
			err = copy_node(to, fdt, child, 0);
	}
	return err ? err : fdt_end_node(to);
}

int guest_fdt_copy(void *to, const void *fdt, const struct vmdef *def, struct bus_cells cells,
		   u32 plic)
{
	int err = 0;

	for (u32 i = 0; !err && i < def->host_nodes; i++) {
		int node = node_on(fdt, def, i, cells);

		if (node >= 0)
			err = copy_node(to, fdt, node, plic);
	}
	return err;
}

const char *guest_fdt_stdout(const void *fdt, const struct vmdef *def, struct bus_cells *cells)
{
	const char *path = fdt_read_string(fdt, fdt_path_offset(fdt, "/chosen"), "stdout-path");
	const char *options = path ? strchr(path, ':') : NULL;
	int console;

	if (!path)
		return NULL;
	console = fdt_path_offset_namelen(fdt, path, (int)(options ? (size_t)(options - path) :
								     strlen(path)));
	for (u32 i = 0; console >= 0 && i < def->host_nodes; i++) {
		if (fdt_path_offset(fdt, def->host_node[i].path) == console) {
			*cells = cells_of(fdt, console);
			return fdt_get_name(fdt, console, NULL);
		}
	}
	return NULL;
}

u32 guest_fdt_board_plic(const void *fdt)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "sifive,plic-1.0.0");

	if (node < 0)
		node = fdt_node_offset_by_compatible(fdt, -1, "riscv,plic0");
	return node < 0 ? 0 : fdt_get_phandle(fdt, node);
}
