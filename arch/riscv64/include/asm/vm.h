/* SPDX-License-Identifier: BSD-2-Clause */
/* The RISC-V part of a VM: its G-stage, VMID and time. */
#ifndef ASM_VM_H
#define ASM_VM_H

#include <asm/ptable.h>
#include <asm/vmid.h>
#include <hv/types.h>

struct vm;

struct arch_vm {
	struct ptable gstage;	/* filled by arch_vm_init(), constant while the VM runs */
	u64 hgatp;		/* MODE and PPN; the VMID is put in at each load */
	struct vmid vmid;
	u64 hstateen0;		/* what guests of this kind may reach */
	u64 time_delta;		/* htimedelta: the guest's time starts at 0; moves in pauses */
};

/* A and D are set: hardware never writes a G-stage entry. */
#define GSTAGE_DEVICE (PTE_R | PTE_W | PTE_U | PTE_A | PTE_D)
#define GSTAGE_RAM (GSTAGE_DEVICE | PTE_X)
#define GSTAGE_VIEW (PTE_R | PTE_U | PTE_A)

/*
 * arch_vm_host_time() - when the guest's time reaches guest_time, in host ticks: now or a moment
 * past, or TIMER_NEVER.
 */
u64 arch_vm_host_time(const struct arch_vm *vm, u64 guest_time);

/* vm_fence() - no hart has an old translation of the VM's G-stage, which has changed. */
void vm_fence(struct vm *vm);

/*
 * vcpu_time_stop() - on its own hart: the timer of this vCPU of a paused VM is held.
 * vcpu_time_go_on() - it follows its VM's time_delta, which has changed since.
 */
void vcpu_time_stop(void *vcpu);
void vcpu_time_go_on(void *vcpu);

/* vm_audit() - debug builds: the tables reach nothing that the ownership table does not grant. */
void vm_audit(const struct vm *vm);

/* vm_vmids - the VMIDs of this machine. */
extern struct vmid_space vm_vmids;

#endif
