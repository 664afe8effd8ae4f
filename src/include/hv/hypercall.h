/* SPDX-License-Identifier: BSD-2-Clause */
/* The MVM's calls (abi/hypercall.h), apart from how they arrive. */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/types.h>

struct vcpu;
struct vm;

struct hypercall_result {
	long status;	/* SHYPER_OK or SHYPER_E_* */
	u64 value;
};

/*
 * hypercall() - carry out one call of this vCPU's VM with up to four arguments. On the vCPU's
 * hart, from its exit. One management call runs at a time; others wait, serving fences meanwhile.
 */
struct hypercall_result hypercall(struct vcpu *vcpu, u64 function, const u64 *arg);

/*
 * hypercall_open() - the boot hart has started what it had to: from now on there are management
 * calls. An MVM that was quicker, on another hart, waits in its own.
 */
void hypercall_open(void);

/* hypercall_reset() - the VM boots anew, or is no more: what it had registered is forgotten. */
void hypercall_reset(const struct vm *vm);

#endif
