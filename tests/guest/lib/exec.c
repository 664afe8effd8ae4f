/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts the instruction into its slot; exec_slot.S does the rest. */
#include "exec.h"

void exec_inside(struct exec *e);
void exec_across(struct exec *e);
extern u16 exec_inside_slot[2];
extern u16 exec_across_slot[2];

#define C_NOP 1

void exec_insn(struct exec *e, u32 insn, enum exec_place place)
{
	volatile u16 *slot = place == EXEC_INSIDE ? exec_inside_slot : exec_across_slot;

	slot[0] = (u16)insn;
	slot[1] = (insn & 3) == 3 ? (u16)(insn >> 16) : C_NOP;
	__asm__ volatile("fence.i" ::: "memory");
	if (place == EXEC_INSIDE)
		exec_inside(e);
	else
		exec_across(e);
}
