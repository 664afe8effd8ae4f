/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one instruction with every register under control, and shows all that it changed. */
#ifndef GUEST_EXEC_H
#define GUEST_EXEC_H

#include <hv/types.h>

/* x[0] is not loaded. cause is TRAP_NONE when the instruction completed. */
struct exec {
	unsigned long x[32];
	unsigned long cause;
	unsigned long value;
	unsigned long epc;
};

/* Where the instruction lay: inside a page, or (4 bytes) across the end of one. */
enum exec_place { EXEC_INSIDE, EXEC_ACROSS };

/*
 * Runs insn (two low bits 3: 4 bytes, else 2) with x1 to x31 from *e and leaves what they became
 * in *e. No register is in use by the machinery, sp and tp are free too. Interrupts must be off.
 */
void exec_insn(struct exec *e, u32 insn, enum exec_place place);

/* A value for each register that no other has. */
static inline void exec_fill(struct exec *e)
{
	for (unsigned long i = 0; i < 32; i++)
		e->x[i] = 0xa5c3000000000000UL | i << 40 | i << 20 | 0x8000UL | i;
}

#endif
