/* SPDX-License-Identifier: BSD-2-Clause */
/* The FP and vector registers, lent to the vCPUs of a hart on demand. */
#include <asm/units.h>

#include <asm/csr.h>
#include <asm/features.h>
#include <asm/fp.h>
#include <asm/hart.h>
#include <hv/string.h>
#include <hv/vcpu.h>

/* Their fields of sstatus. */
static u64 fields(void)
{
	return features.units | features.units >> 1;
}

/* As units_lend_fp(). */
static void lend_vector(struct units *units, const struct vcpu *before, struct vcpu *vcpu)
{
	u64 status = csr_turn_on(CSR_SSTATUS, SSTATUS_VS);
	struct vcpu *last = units->vector;

	if (last) {
		if (last != before)
			status = last->arch.csr.sstatus;
		if (units_dirty(status, SSTATUS_VS))
			vec_save(last->arch.vector, features.vlenb);
		last->arch.csr.sstatus &= ~SSTATUS_VS;
	}
	vec_restore(vcpu->arch.vector, features.vlenb);
	csr_clear(CSR_SSTATUS, SSTATUS_VS);
	vcpu->arch.csr.sstatus |= UNITS_VECTOR;
	units->vector = vcpu;
}

static void lend(struct vcpu *vcpu, const struct vcpu *before, u64 which)
{
	struct hart *hart = this_hart();

	if (which & UNITS_FP)
		units_lend_fp(&hart->units, before, vcpu);
	if (which & UNITS_VECTOR)
		lend_vector(&hart->units, before, vcpu);
}

void units_reset(struct vcpu *vcpu)
{
	memset(&vcpu->arch.fp, 0, sizeof(vcpu->arch.fp));
	if (!feature(FEATURE_VECTOR))
		return;
	memset(vcpu->arch.vector, 0, 32 * (size_t)features.vlenb + VECTOR_CSRS);
	/* vtype.vill: no vector instruction works before a vset{i}vl{i}. */
	((u64 *)vcpu->arch.vector)[4 * features.vlenb + 1] = BIT(63);
}

void units_load(struct vcpu *vcpu, const struct vcpu *before)
{
	lend(vcpu, before, units_wanted(vcpu));
}

bool units_demand(struct vcpu *vcpu)
{
	u64 status = csr_read(CSR_VSSTATUS), has = csr_read(CSR_SSTATUS);
	u64 on = status | status << 1, which = on & ~(has | has << 1) & features.units;

	if (!which)
		return false;
	lend(vcpu, vcpu, which);
	csr_set(CSR_SSTATUS, which);
	return true;
}

/* Whoever is loaded keeps what its own sstatus says. */
static void give_up(struct vcpu *vcpu, bool save)
{
	struct units *holders = &this_hart()->units;
	static const struct fp_state zeros;
	u64 has = csr_read(CSR_SSTATUS);

	csr_set(CSR_SSTATUS, fields());
	if (holders->fp == vcpu) {
		if (save && units_dirty(vcpu->arch.csr.sstatus, SSTATUS_FS))
			fp_swap(&vcpu->arch.fp, &zeros);
		else
			fp_restore(&zeros);
		holders->fp = NULL;
	}
	if (holders->vector == vcpu) {
		if (save && units_dirty(vcpu->arch.csr.sstatus, SSTATUS_VS))
			vec_save(vcpu->arch.vector, features.vlenb);
		vec_clear();
		holders->vector = NULL;
	}
	vcpu->arch.csr.sstatus &= ~fields();
	csr_write(CSR_SSTATUS, has);
}

void units_save(struct vcpu *vcpu)
{
	give_up(vcpu, true);
}

void units_forget(struct vcpu *vcpu)
{
	give_up(vcpu, false);
}
