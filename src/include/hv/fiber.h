/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work that takes long, on a stack of its own, so that it can be left in the middle: a hart goes on
 * with it when nobody more important wants the hart. It is never interrupted, it steps back itself.
 */
#ifndef HV_FIBER_H
#define HV_FIBER_H

#include <hv/types.h>

#define FIBER_STACK 8192	/* bytes */

struct fiber {
	u64 sp;				/* of the one of both that waits: the work, or its hart */
	void (*work)(void *arg);
	void *arg;
	bool going;			/* it has begun, and is not done */
	u64 stack[FIBER_STACK / sizeof(u64)] __attribute__((aligned(16)));
};

/* fiber_begin() - what fiber_run() is to do. None may be under way. */
void fiber_begin(struct fiber *fiber, void (*work)(void *arg), void *arg);

/*
 * fiber_run() - go on with the work until it is done (false) or steps back (true: there is more).
 * One hart at a time, which may be another one each time; not from within a fiber.
 */
bool fiber_run(struct fiber *fiber);

/*
 * fiber_breathe() - step back if the hart is wanted (arch_hart_wanted()); outside of a fiber,
 * nothing. With no lock held; the hart may be another one afterwards, so nothing that was asked of
 * this_hart() holds any more.
 */
void fiber_breathe(void);

/*
 * The architecture supplies (arch/riscv64/fiber.S): arch_fiber_switch() - keep the callee-saved
 * registers on the stack and its top in *from, and go on where *to was kept. arch_fiber_stack() -
 * the stack below top as if it had been left just before main(arg), which never returns; returns
 * its top. arch_fiber_own() - where the calling hart keeps the fiber that it is in, NULL: none.
 */
void arch_fiber_switch(u64 *from, const u64 *to);
u64 arch_fiber_stack(u64 *top, void (*main)(void *arg), void *arg);
struct fiber **arch_fiber_own(void);

#endif
