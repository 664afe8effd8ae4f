/* SPDX-License-Identifier: BSD-2-Clause */
/* The host tests' asm/hart.h: harts are what the test says they are. */
#ifndef ASM_HART_H
#define ASM_HART_H

#include <hv/sched.h>
#include <hv/types.h>

#define HARTS 64

struct board_hart;
struct trace_ring;

struct hart {
	u32 index;
	const struct board_hart *board;
	u32 kicks;
	struct sched sched;
	u64 hartid;
	u32 online;
	struct trace_ring *trace;
};

extern struct hart *hart_now;	/* the hart on which the code under test runs */
extern struct hart harts[HARTS];
extern u32 hart_count;

static inline struct hart *this_hart(void)
{
	return hart_now;
}

void hart_kick(struct hart *hart);
void hart_kicked(void);
#define ERRAND_MONITOR 1
#define ERRAND_TRACE 2
#define ERRAND_CONSOLE 4
void hart_errand(struct hart *hart, u32 errand);
void fence_serve(void);

#endif
