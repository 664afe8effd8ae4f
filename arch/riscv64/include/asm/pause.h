/* SPDX-License-Identifier: BSD-2-Clause */
/* What a hart does while it waits for another one. */
#ifndef ASM_PAUSE_H
#define ASM_PAUSE_H

/*
 * arch_pause() - once in each round of a loop that waits: leave the core's units to whoever shares
 * them. PAUSE of Zihintpause, a FENCE that orders nothing where that is absent.
 */
static inline void arch_pause(void)
{
	__asm__ volatile(".4byte 0x0100000f");
}

#endif
