/* SPDX-License-Identifier: BSD-2-Clause */
/* The host tests' asm/pause.h: a hart is a thread, and there may be more of them than CPUs. */
#ifndef ASM_PAUSE_H
#define ASM_PAUSE_H

#include <sched.h>

static inline void arch_pause(void)
{
	sched_yield();
}

#endif
