/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to board*.c: nodes of devices, and the interrupt controllers. */
#ifndef BOARD_IRQ_H
#define BOARD_IRQ_H

#include <hv/board.h>

/* board_next_device() - next node of this compatible string that may be used; negative: none. */
int board_next_device(const void *fdt, int node, const char *compatible);

/* board_read_reg() - range number index of a device's registers, as the CPU addresses it. */
bool board_read_reg(const void *fdt, int node, u32 index, struct board_range *range);

/*
 * board_parse_irq() - which controllers the board has and where each hart is in them. intc has the
 * phandle of each hart's own controller, 0: none.
 */
void board_parse_irq(struct board *b, const void *fdt, const u32 *intc);

#endif
