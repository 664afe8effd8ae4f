/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose values the FP and the vector registers hold. A vCPU's sstatus.FS says it: Off while its
 * values lie in memory, Clean while the registers hold the same, Dirty once they are newer (VS
 * likewise). HS-level sstatus counts for a guest as its own does (privileged specification,
 * "Virtual Supervisor Status (vsstatus) Register"), so an instruction of a unit that is Off traps,
 * here and not in the guest while hedeleg leaves illegal instructions to Shyper: nobody ever sees
 * values of another vCPU, and nothing moves before it is needed.
 */
#ifndef ASM_UNITS_H
#define ASM_UNITS_H

#include <asm/csr.h>
#include <hv/vcpu.h>

/* One for each hart, its own: whose values are in the registers; NULL: nobody's. */
struct units {
	struct vcpu *fp;
	struct vcpu *vector;
};

/*
 * All on the own hart. Of a vCPU that is loaded:
 *   units_load(vcpu): it is, since now: give it those that it will use (units_wanted)
 *   units_demand(vcpu): its instruction was illegal; true: for want of a unit, which it has now
 * of one that is not:
 *   units_reset(vcpu): its units start with zeros
 *   units_save(vcpu): its values go to memory, the registers are zero
 *   units_forget(vcpu): its values are of no use, the registers are zero
 */
void units_load(struct vcpu *vcpu);
bool units_demand(struct vcpu *vcpu);
void units_reset(struct vcpu *vcpu);
void units_save(struct vcpu *vcpu);
void units_forget(struct vcpu *vcpu);

/*
 * units_wanted() - units_load() has something to do: the vCPU changed a unit shortly before it was
 * stopped, and does not have it; or has the hart to itself, where it never traps for one.
 */
static inline bool units_wanted(const struct vcpu *vcpu)
{
	const struct vcpu_csrs *csr = &vcpu->arch.csr;
	u64 dirty = csr->vsstatus & csr->vsstatus << 1;

	return dirty & ~csr->sstatus & (SSTATUS_FS_CLEAN | SSTATUS_VS_CLEAN) || !vcpu->shared;
}

#endif
