/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose values the FP and the vector registers hold. A vCPU's sstatus.FS says it: Off while its
 * values lie in memory, Clean while the registers hold the same, Dirty once they are newer (VS
 * likewise). HS-level sstatus counts for a guest as its own does (privileged specification,
 * "Virtual Supervisor Status (vsstatus) Register"), so an instruction of a unit that is Off traps,
 * to Shyper (units_hedeleg()): nobody ever sees values of another vCPU, and nothing moves before it
 * is needed.
 */
#ifndef ASM_UNITS_H
#define ASM_UNITS_H

#include <asm/csr.h>
#include <asm/features.h>
#include <asm/fp.h>
#include <hv/vcpu.h>

/* One for each hart, its own: whose values are in the registers; NULL: nobody's. */
struct units {
	struct vcpu *fp;
	struct vcpu *vector;
};

/*
 * All on the own hart. Of a vCPU that is loaded:
 *   units_demand(vcpu): its instruction was illegal; true: for want of a unit, which it has now
 * of one that is not:
 *   units_load(vcpu, before): it will be, its CSRs take the place of those of before (NULL:
 *	nobody's): it gets what units_wanted() says
 *   units_lend_fp(units, before, vcpu): the same, if that is the FP unit alone
 *   units_reset(vcpu): its units start with zeros
 *   units_save(vcpu): its values go to memory, the registers are zero
 *   units_forget(vcpu): its values are of no use, the registers are zero
 */
void units_load(struct vcpu *vcpu, const struct vcpu *before);
bool units_demand(struct vcpu *vcpu);
void units_reset(struct vcpu *vcpu);
void units_save(struct vcpu *vcpu);
void units_forget(struct vcpu *vcpu);

/* A set of them; features.units are there. */
#define UNITS_FP SSTATUS_FS_CLEAN
#define UNITS_VECTOR SSTATUS_VS_CLEAN

/*
 * units_wanted() - those that a vCPU should have when it is loaded, and has not: it changed them
 * shortly before it was stopped; or it has the hart to itself, where it never traps for one.
 */
static inline u64 units_wanted(const struct vcpu *vcpu)
{
	const struct vcpu_csrs *csr = &vcpu->arch.csr;
	u64 used = vcpu->shared ? csr->vsstatus & csr->vsstatus << 1 : ~(u64)0;

	return used & ~csr->sstatus & features.units;
}

/* units_dirty() - of one field of sstatus: the registers are newer than memory. */
static inline bool units_dirty(u64 status, u64 field)
{
	return (status & field) == field;
}

/*
 * units_hedeleg() - illegal instructions of vCPUs that share a hart are Shyper's, for each may be
 * for want of a unit. So a hart's hedeleg is the same for all whom it serves.
 */
static inline u64 units_hedeleg(const struct vcpu *vcpu)
{
	return features.hedeleg & ~(vcpu->shared && features.units ? BIT(CAUSE_ILLEGAL) : 0);
}

static inline void units_lend_fp(struct units *units, const struct vcpu *before, struct vcpu *vcpu)
{
	u64 status = csr_turn_on(CSR_SSTATUS, SSTATUS_FS);
	struct vcpu *last = units->fp;

	if (last && unlikely(last != before)) {
		status = last->arch.csr.sstatus;
		last->arch.csr.sstatus = status & ~SSTATUS_FS;
	}
	if (likely(last && units_dirty(status, SSTATUS_FS)))
		fp_swap(&last->arch.fp, &vcpu->arch.fp);
	else
		fp_restore(&vcpu->arch.fp);
	csr_clear(CSR_SSTATUS, SSTATUS_FS);	/* of before */
	vcpu->arch.csr.sstatus |= UNITS_FP;
	units->fp = vcpu;
}

#endif
