/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to guest_fdt*.c: devices of the board in the guest's tree. */
#ifndef GUEST_FDT_COPY_H
#define GUEST_FDT_COPY_H

#include <hv/types.h>

struct vmdef;

/* The cells in which reg is written on a bus. Nodes without reg belong to the one of 2 and 2. */
struct bus_cells {
	int address;
	int size;
};

/* guest_fdt_has_host() - the VM has devices of the board that belong on such a bus. */
bool guest_fdt_has_host(const void *board_fdt, const struct vmdef *def, struct bus_cells cells);

/*
 * guest_fdt_copy() - write them into the open node of a tree that is being written. plic is the
 * phandle that a device without an interrupt-parent of its own gets. 0 or libfdt's error.
 */
int guest_fdt_copy(void *to, const void *board_fdt, const struct vmdef *def,
		   struct bus_cells cells, u32 plic);

/*
 * guest_fdt_stdout() - name and bus of the node that is the board's own console; NULL: the VM does
 * not have it.
 */
const char *guest_fdt_stdout(const void *board_fdt, const struct vmdef *def,
			     struct bus_cells *cells);

/* guest_fdt_board_plic() - phandle of the board's PLIC; 0: none. */
u32 guest_fdt_board_plic(const void *board_fdt);

#endif
