/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hart for tests of its turns: vCPU i is VM i's only one, shares the hart, and has priority i. A
 * guest's stay takes 100 ticks.
 */
#ifndef SCHED_SIDES_H
#define SCHED_SIDES_H

#include <asm/hart.h>
#include <hv/errno.h>
#include <hv/frames.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define COUNT (SCHED_VCPUS + 1)

extern struct hart hart;
extern struct sched sched;
extern struct vm vm[COUNT];
extern struct vcpu vcpu[COUNT];
extern struct vcpu *loaded, *ran, *watched;
extern u32 halts;
extern u64 sleeps_in_guest;	/* bit per vCPU: its WFI does not exit */
extern u64 wakes;		/* bit per vCPU: an interrupt is pending for it */
extern u32 deaf;		/* requests that wake nobody */
extern u64 now;
extern u64 passes;		/* ticks with each look at the time */
extern u64 armed;		/* 0: not */
extern void (*in_guest)(struct vcpu *v);
extern struct frames frames;
extern u64 troubles;		/* bit per VM: an event */

int sched_setup(void **state);
void claim_and_start(u32 i);

/* turn() - one turn runs this vCPU. */
void turn(u32 i);

/* What a guest may do in its stay. */
void wait_for_interrupt(struct vcpu *v);
void stop(struct vcpu *v);

#endif
