/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vCPUs of a hart and whose turn it is. A hart serves one vCPU that has it to itself, or up to
 * SCHED_VCPUS that share it, each of another VM; then a policy (hv/sched_policy.h) decides: that of
 * windows where a partition has a vCPU, else that of priorities. There is no tick: the hart's timer
 * is armed for the moment in which the decision ends, and only while another vCPU waits for it.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <hv/sched_policy.h>
#include <hv/timer.h>
#include <hv/types.h>

#define SCHED_VCPUS 16

struct vcpu;
struct vm;

/* Private to sched.c. One per hart. */
struct sched {
	/* Changed by who makes VMs, one at a time, by atomic stores; read by all. */
	struct vcpu *vcpu[SCHED_VCPUS];	/* NULL: free */
	u32 used;			/* no slot is taken from here on */
	bool windowed;			/* one of them is: policy "partition" */

	/* The hart's own; entities of free slots belong to who makes VMs. */
	struct sched_entity entity[SCHED_VCPUS];
	struct sched_queue queue;
	struct timer timer;		/* the decision ends */
	const struct schedule *schedule;	/* that entities' partitions are of */
	u32 running;			/* slot whose turn it is; SCHED_NOBODY: none may run */
	u64 from;			/* when that began; 0: it is being decided */
};

/* One vCPU, as sched_look() finds it. Times are ticks. */
struct sched_look {
	enum sched_state state;
	bool running;
	u64 ran;
	u64 waited;
	u64 left;	/* of its budget, in the period that ends at refill */
	u64 refill;
	struct sched_health health;
};

/*
 * sched_claim() - the hart serves this vCPU from now on; its vm, shared and hart are set. By who
 * makes VMs. 0; -EBUSY: it has a vCPU that does not share, or this one would have to; -ERANGE: it
 * has SCHED_VCPUS of them, or one of this VM. sched_release() undoes it, for a vCPU that has halted
 * or never ran; the hart may look at it until arch_harts_sync().
 */
int __must_check sched_claim(struct sched *s, struct vcpu *vcpu);
void sched_release(struct sched *s, const struct vcpu *vcpu);

/*
 * sched_adopt() - one that was moved here, and has not run yet, had these times before; its period
 * goes on.
 */
void sched_adopt(struct sched *s, const struct vcpu *vcpu, const struct sched_look *was);

/* sched_fits() - what sched_claim() would say. */
int __must_check sched_fits(const struct sched *s, const struct vcpu *vcpu);

/*
 * sched_let_go() - vcpu_held() for all but the one that is loaded, which is in a call and waits.
 * The calling hart's.
 */
void sched_let_go(const struct sched *s);

/* sched_count() - how many it serves. sched_get() - the one in this slot; NULL: none. */
u32 sched_count(const struct sched *s);
struct vcpu *sched_get(const struct sched *s, u32 slot);

/*
 * sched_turn() - a turn of the calling hart's loop: who is to run does so until it leaves the
 * guest. Returns false when there is nothing to do until the next interrupt.
 */
bool sched_turn(struct sched *s);

/*
 * On the hart itself, for who manages VMs (arch_hart_call()). sched_look() - a slot that shares.
 * sched_change() - the vCPU's VM has another def.sched from now on; a new period begins.
 */
void sched_look(const struct sched *s, u32 slot, struct sched_look *out);
void sched_change(struct sched *s, const struct vcpu *vcpu);

/* sched_interrupted() - an interrupt took running out of the guest: has it brought others work? */
void sched_interrupted(const struct sched *s, struct vcpu *running);

#endif
