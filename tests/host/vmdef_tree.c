/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds definition trees from rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include <hv/errno.h>
#include <hv/vmdef.h>

#include "vmdef_tree.h"

const struct edit complete[] = {
	TEXT("/", "compatible", "shyper,vm-v1"),
	CELLS("/", "#address-cells", 2),
	CELLS("/", "#size-cells", 2),
	TEXT("/", "vm-name", "guest"),
	CELLS("/", "vcpus", 2),
	CELLS("/", "harts", 3, 1),
	TEXT("/", "bootargs", "console=ttyS0 quiet"),
	FLAG("/", "autostart"),
	TEXT("/", "on-poweroff", "machine-off"),
	TEXT("/", "on-reboot", "stop"),
	TEXT("/", "on-crash", "restart"),
	CELLS("/", "max-restarts", 5),
	TEXT("/", "max-leaf", "2M"),
	TEXT("/", "time", "stops-while-paused"),
	CELLS("/memory@90000000", "reg", 0, 0x90000000, 0, 0x1000000),
	FLAG("/memory@90000000", "identity-map"),
	CELLS("/memory@80000000", "reg", 0, 0x80000000, 0, 0x8000000),
	TEXT("/sched", "policy", "priority"),
	CELLS("/sched", "priority", 31),
	CELLS("/sched", "budget-us", 2500),
	CELLS("/sched", "period-us", 10000),
	FLAG("/sched", "strict"),
	TEXT("/kernel", "image", "kernel-1"),
	CELLS("/kernel", "load", 0, 0x80200000),
	CELLS("/kernel", "entry", 0x80200040),
	TEXT("/initrd", "image", "initrd-1"),
	CELLS("/initrd", "load", 0, 0x84000000),
	CELLS("/devices", "#address-cells", 2),
	CELLS("/devices", "#size-cells", 2),
	TEXT("/devices/plic@c000000", "status", "okay"),
	CELLS("/devices/plic@c000000", "reg", 0, 0xc000000, 0, 0x600000),
	CELLS("/devices/plic@c000000", "sources", 96),
	CELLS("/devices/uart", "reg", 0, 0x10000000, 0, 0x100),
	CELLS("/devices/uart", "interrupt", 10),
	CELLS("/devices/test", "reg", 0, 0x100000, 0, 0x1000),
	CELLS("/devices/rtc", "reg", 0, 0x101000, 0, 0x1000),
	CELLS("/devices/rtc", "interrupt", 11),
	CELLS("/passthrough/net@20000000", "reg", 0, 0x20000000, 0, 0x1000, 0, 0x20002000, 0,
	      0x2000),
	CELLS("/passthrough/net@20000000", "host-reg", 0, 0x30000000, 0, 0x1000, 0, 0x30002000, 0,
	      0x2000),
	CELLS("/passthrough/net@20000000", "interrupts", 20, 21),
	CELLS("/passthrough/net@20000000", "host-interrupts", 33, 34),
	CELLS("/passthrough/gpio@21000000", "reg", 0, 0x21000000, 0, 0x1000),
	TEXT("/passthrough/clock", "host-node", "/soc/rtc@101000"),
	FLAG("/passthrough/clock", "no-dma"),
	{ .how = END },
};

const struct edit minimal[] = {
	TEXT("/", "compatible", "shyper,vm-v1"),
	TEXT("/", "vm-name", "small"),
	TEXT("/kernel", "image", "k"),
	{ .how = END },
};

static int node_at(void *fdt, const char *path)
{
	int node = 0;

	for (const char *name = path + 1; *name;) {
		size_t len = strcspn(name, "/");
		int child = fdt_subnode_offset_namelen(fdt, node, name, (int)len);

		if (child < 0)
			child = fdt_add_subnode_namelen(fdt, node, name, (int)len);
		assert_true(child >= 0);
		node = child;
		name += len + (name[len] == '/');
	}
	return node;
}

static void apply(void *fdt, const struct edit *edit)
{
	u32 cells[64];

	switch (edit->how) {
	case SET_CELLS:
		for (size_t i = 0; i < edit->size / 4; i++)
			cells[i] = cpu_to_fdt32(((const u32 *)edit->data)[i]);
		assert_int_equal(fdt_setprop(fdt, node_at(fdt, edit->path), edit->property, cells,
					     (int)edit->size), 0);
		break;
	case SET_TEXT:
	case SET_BYTES:
		assert_int_equal(fdt_setprop(fdt, node_at(fdt, edit->path), edit->property,
					     edit->data, (int)edit->size), 0);
		break;
	case REMOVE:
		assert_int_equal(fdt_delprop(fdt, node_at(fdt, edit->path), edit->property), 0);
		break;
	case REMOVE_NODE:
		assert_int_equal(fdt_del_node(fdt, node_at(fdt, edit->path)), 0);
		break;
	case ADD_NODE:
		node_at(fdt, edit->path);
		break;
	case END:
		break;
	}
}

void apply_all(void *fdt, const struct edit *edits)
{
	for (; edits->how != END; edits++)
		apply(fdt, edits);
}

int parse_exact(const void *tree, size_t size, struct vmdef *def, struct vmdef_error *error)
{
	void *copy = malloc(size ? size : 1);
	int err;

	memcpy(copy, tree, size);
	memset(error, 0, sizeof(*error));
	err = vmdef_parse(def, copy, size, error);
	free(copy);
	return err;
}

int parse_edited(const struct edit *base, const struct edit *edits, struct vmdef *def,
		 struct vmdef_error *error)
{
	static u64 fdt[TREE_ROOM / 8];

	assert_int_equal(fdt_create_empty_tree(fdt, sizeof(fdt)), 0);
	apply_all(fdt, base);
	if (edits)
		apply_all(fdt, edits);
	fdt_pack(fdt);
	return parse_exact(fdt, fdt_totalsize(fdt), def, error);
}
