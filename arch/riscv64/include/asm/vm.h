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
	u64 time_delta;		/* htimedelta: the guest's time starts at 0; fixed per boot */
};

/*
 * arch_vm_host_time() - when the guest's time reaches guest_time, in host ticks: now or a moment
 * past, or TIMER_NEVER.
 */
u64 arch_vm_host_time(const struct arch_vm *vm, u64 guest_time);

/* vm_vmids - the VMIDs of this machine. */
extern struct vmid_space vm_vmids;

#endif
