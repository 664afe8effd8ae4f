/* SPDX-License-Identifier: BSD-2-Clause */
/* The FP and vector registers, lent to the vCPUs of a hart on demand. */
#include <asm/units.h>

#include <asm/csr.h>
#include <asm/features.h>
#include <asm/fp.h>
#include <asm/hart.h>
#include <hv/string.h>
#include <hv/vcpu.h>

static bool has_vector(void)
{
	return feature(FEATURE_VECTOR);
}

static u64 units(void)
{
	return (feature(FEATURE_FP) ? SSTATUS_FS : 0) | (has_vector() ? SSTATUS_VS : 0);
}

static bool off(u64 status, u64 field)
{
	return !(status & field);
}

static bool dirty(u64 status, u64 field)
{
	return (status & field) == field;
}

/* Illegal instructions are Shyper's as long as one may be for want of a unit. */
static void delegate(struct vcpu *vcpu)
{
	u64 status = csr_read(CSR_SSTATUS), hedeleg = features.hedeleg;

	if ((feature(FEATURE_FP) && off(status, SSTATUS_FS)) ||
	    (has_vector() && off(status, SSTATUS_VS)))
		hedeleg &= ~BIT(CAUSE_ILLEGAL);
	vcpu->arch.csr.hedeleg = hedeleg;
	csr_write(CSR_HEDELEG, hedeleg);
}

/* From Dirty or Clean, in a vCPU that is not loaded. */
static void withhold(struct vcpu *vcpu, u64 field)
{
	vcpu->arch.csr.sstatus &= ~field;
	vcpu->arch.csr.hedeleg &= ~BIT(CAUSE_ILLEGAL);
}

/* To the loaded vCPU, from who has it. */
static void take_fp(struct vcpu *vcpu)
{
	struct vcpu *last = this_hart()->units.fp;

	csr_set(CSR_SSTATUS, SSTATUS_FS);
	if (last) {
		if (dirty(last->arch.csr.sstatus, SSTATUS_FS))
			fp_save(&last->arch.fp);
		withhold(last, SSTATUS_FS);
	}
	fp_restore(&vcpu->arch.fp);
	csr_clear(CSR_SSTATUS, SSTATUS_FS_INITIAL);	/* Clean */
	this_hart()->units.fp = vcpu;
}

static void take_vector(struct vcpu *vcpu)
{
	struct vcpu *last = this_hart()->units.vector;

	csr_set(CSR_SSTATUS, SSTATUS_VS);
	if (last) {
		if (dirty(last->arch.csr.sstatus, SSTATUS_VS))
			vec_save(last->arch.vector, features.vlenb);
		withhold(last, SSTATUS_VS);
	}
	vec_restore(vcpu->arch.vector, features.vlenb);
	csr_clear(CSR_SSTATUS, SSTATUS_VS_INITIAL);
	this_hart()->units.vector = vcpu;
}

static void take(struct vcpu *vcpu, u64 fields)
{
	if (fields & SSTATUS_FS)
		take_fp(vcpu);
	if (fields & SSTATUS_VS)
		take_vector(vcpu);
	delegate(vcpu);
}

void units_reset(struct vcpu *vcpu)
{
	memset(&vcpu->arch.fp, 0, sizeof(vcpu->arch.fp));
	vcpu->arch.csr.hedeleg = features.hedeleg;
	if (units())
		vcpu->arch.csr.hedeleg &= ~BIT(CAUSE_ILLEGAL);
	if (!has_vector())
		return;
	memset(vcpu->arch.vector, 0, 32 * (size_t)features.vlenb + VECTOR_CSRS);
	/* vtype.vill: no vector instruction works before a vset{i}vl{i}. */
	((u64 *)vcpu->arch.vector)[4 * features.vlenb + 1] = BIT(63);
}

void units_load(struct vcpu *vcpu)
{
	u64 fields = units(), status = vcpu->arch.csr.vsstatus, has = vcpu->arch.csr.sstatus;

	if (!off(has, SSTATUS_FS) || (vcpu->shared && !dirty(status, SSTATUS_FS)))
		fields &= ~SSTATUS_FS;
	if (!off(has, SSTATUS_VS) || (vcpu->shared && !dirty(status, SSTATUS_VS)))
		fields &= ~SSTATUS_VS;
	if (fields)
		take(vcpu, fields);
}

bool units_demand(struct vcpu *vcpu)
{
	u64 fields = units(), status = csr_read(CSR_VSSTATUS), has = csr_read(CSR_SSTATUS);

	if (off(status, SSTATUS_FS) || !off(has, SSTATUS_FS))
		fields &= ~SSTATUS_FS;
	if (off(status, SSTATUS_VS) || !off(has, SSTATUS_VS))
		fields &= ~SSTATUS_VS;
	if (!fields)
		return false;
	take(vcpu, fields);
	return true;
}

/* Whoever is loaded keeps what its own sstatus says. */
static void give_up(struct vcpu *vcpu, bool save)
{
	struct units *holders = &this_hart()->units;
	static const struct fp_state zeros;
	u64 has = csr_read(CSR_SSTATUS);

	csr_set(CSR_SSTATUS, units());
	if (save && dirty(vcpu->arch.csr.sstatus, SSTATUS_FS))
		fp_save(&vcpu->arch.fp);
	if (save && dirty(vcpu->arch.csr.sstatus, SSTATUS_VS))
		vec_save(vcpu->arch.vector, features.vlenb);
	if (holders->fp == vcpu) {
		fp_restore(&zeros);
		holders->fp = NULL;
	}
	if (holders->vector == vcpu) {
		vec_clear();
		holders->vector = NULL;
	}
	withhold(vcpu, units());
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
