/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steal time: what a vCPU has waited for its hart, in memory of its guest (SBI specification,
 * "Steal-time Accounting Extension"). The vCPU's own hart only; no lock, nothing is read back.
 */
#ifndef HV_STEAL_H
#define HV_STEAL_H

#include <hv/types.h>

struct vcpu;

#define STEAL_SIZE 64	/* bytes that the guest lends, aligned as much */

/* In a vCPU. */
struct steal {
	u8 *shown;	/* in the guest's RAM; NULL: it has asked for none */
	u64 seen;	/* ticks waited when last looked */
	u64 ns;		/* waited since the guest asked */
	u32 sequence;	/* odd while the guest's copy changes */
};

/* steal_show() - from now on there, STEAL_SIZE bytes of the guest's RAM; NULL: no longer. */
void steal_show(struct vcpu *vcpu, u8 *at);

/*
 * steal_update() - the vCPU begins (preempted: ends) its turn, and has waited for so many ticks in
 * all on this hart.
 */
void steal_update(struct vcpu *vcpu, u64 waited, bool preempted);

#endif
