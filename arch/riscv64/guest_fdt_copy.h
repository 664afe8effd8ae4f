/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to guest_fdt*.c: devices of the board in the guest's tree. */
#ifndef GUEST_FDT_COPY_H
#define GUEST_FDT_COPY_H

#include <hv/types.h>

struct vmdef;

/*
 * guest_fdt_copy() - write the host nodes of a resolved definition that have registers, or those
 * that have none, into the open node of a tree that is being written; addresses and sizes have two
 * cells there. 0 or libfdt's error.
 */
int guest_fdt_copy(void *to, const void *board_fdt, const struct vmdef *def, bool registers);

/* guest_fdt_stdout() - name of the host node that is the board's own console; NULL: none is. */
const char *guest_fdt_stdout(const void *board_fdt, const struct vmdef *def);

#endif
