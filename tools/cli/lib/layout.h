/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where kernel, initrd and device tree go in a VM's memory, as QEMU's virt board and the RISC-V
 * boot protocol have it: the kernel at its load address, the others as high as they fit in the
 * first GiB of the first RAM range.
 */
#ifndef CLI_LAYOUT_H
#define CLI_LAYOUT_H

#include "def.h"

#define LAYOUT_FDT (UINT64_C(64) << 10)	/* bytes for the guest's device tree */

struct layout_piece {
	uint64_t at;	/* guest physical */
	uint64_t size;	/* bytes of the file */
};

struct layout {
	struct layout_piece kernel;
	uint64_t kernel_room;	/* what it occupies, .bss included */
	struct layout_piece initrd;	/* size 0: none */
	uint64_t fdt;
	uint64_t entry;
};

/*
 * layout_plan() - look at the files of a resolved definition and place them. Returns 0, or -1 with
 * the error set: a file cannot be read, is of a kind that cannot be booted, or does not fit.
 */
int layout_plan(const struct def *def, struct layout *layout, struct error *error);

#endif
