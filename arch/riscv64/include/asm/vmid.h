/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMIDs by generation: a VM gets a number when it is first entered in a generation; when the
 * numbers run out, a new generation begins, in which every VM gets a new number, and every hart
 * flushes all translations before it enters anything of the new generation. So nobody
 * interrupts anybody, and a VM that keeps running keeps its old number on its hart until it
 * leaves it. Decisions only: the caller executes the fences. A hart without VMIDs (0 bits in
 * hgatp) flushes whenever another VM is entered.
 *
 * Guest virtual translations are tagged with the VMID too, but each vCPU is a hart of its own to
 * the guest: when the vCPU of a VM on a hart changes, or comes back from another hart,
 * hfence.vvma is due.
 */
#ifndef ASM_VMID_H
#define ASM_VMID_H

#include <hv/spinlock.h>
#include <hv/types.h>

#define VMID_HARTS 64	/* hart indices are below it */

#define VMID_NUMBER_BITS 16
#define VMID_TAG(generation, number) ((generation) << VMID_NUMBER_BITS | (number))

/* One for the machine. */
struct vmid_space {
	struct spinlock lock;
	u32 numbers;		/* 1 << bits; fixed. 1: there are no VMIDs, all use number 0 */
	u32 next;		/* first number not given out in this generation; under lock */
	u64 serials;		/* VMs ever made; under lock */
	u64 generation;		/* written under lock, read lock-free; never 0 */
};

/* One for each VM. */
struct vmid {
	u64 serial;		/* fixed, unlike any other VM's ever; never 0 */
	u64 tag;		/* generation << 16 | number, one word so that both are of one
				 * moment; 0: none yet. Written under the space's lock */
	u64 vcpu[VMID_HARTS];	/* by hart: generation << 16 | vCPU + 1 that ran there last; 0:
				 * none, or its translations are old. Atomic */
};

/* One for each vCPU, its hart's: where it was entered last, and what vcpu[] was from then on. */
struct vmid_place {
	const u64 *vcpu;
	u64 tag;
};

/* One for each hart; the hart alone uses it. Zero: has never run a guest. */
struct vmid_hart {
	u64 generation;		/* of the translations that it may hold */
	u64 serial;		/* VM entered last */
};

/* What to do before the guest is entered, in this order. */
struct vmid_enter {
	bool flush_all;		/* hfence.gvma x0, x0 */
	u16 number;		/* for hgatp.VMID */
	bool flush_vcpu;	/* with hgatp written: hfence.vvma x0, x0 */
};

/* vmid_space_init() - bits: width of hgatp.VMID that all harts have, 0 to 14. Boot, once. */
void vmid_space_init(struct vmid_space *space, u8 bits);

/* vmid_init() - of a new VM. Nothing needs to be done when a VM ends. Takes the lock. */
void vmid_init(struct vmid_space *space, struct vmid *vm);

/* vmid_nowhere() - a vCPU that has no translations anywhere, or none that it may use. */
void vmid_nowhere(struct vmid_place *place);

/*
 * vmid_enter() - the calling hart (its index) is about to load the vCPU. Needed when the vCPU on a
 * hart changes, not at every exit. Takes the lock only when the VM needs a number.
 */
struct vmid_enter vmid_enter(struct vmid_space *space, struct vmid *vm, struct vmid_hart *hart,
			     u32 hart_index, u32 vcpu, struct vmid_place *place);

/*
 * vmid_current() - on the vCPU's hart: vmid_enter() would ask for no fence, and for the number that
 * it gave last. The hart has no translations of an older generation then, for it was in this one
 * when it entered the vCPU last. Without VMIDs tags have generation 0, which is never now.
 */
static inline bool vmid_current(const struct vmid_space *space, const struct vmid_place *place)
{
	return __atomic_load_n(place->vcpu, __ATOMIC_RELAXED) == place->tag &&
	       place->tag >> VMID_NUMBER_BITS ==
		       __atomic_load_n(&space->generation, __ATOMIC_RELAXED);
}

/*
 * vmid_vcpu_stale() - guest virtual translations on this hart are old; the VM is not in its hgatp,
 * or somebody has it fence too: it does when it enters the VM again. Any hart.
 */
static inline void vmid_vcpu_stale(struct vmid *vm, u32 hart_index)
{
	__atomic_store_n(&vm->vcpu[hart_index], 0, __ATOMIC_RELEASE);
}

/*
 * vmid_fence() - a translation of this VM's G-stage has changed: what must the calling hart do?
 * VMID_FENCE_NUMBER: hfence.gvma for *number, of the addresses that changed. VMID_FENCE_ALL:
 * hfence.gvma x0, x0. Asked on every hart where the VM may have run; no lock.
 */
enum vmid_fence { VMID_FENCE_NONE, VMID_FENCE_NUMBER, VMID_FENCE_ALL };
enum vmid_fence vmid_fence(const struct vmid_space *space, const struct vmid *vm,
			   const struct vmid_hart *hart, u16 *number);

#endif
