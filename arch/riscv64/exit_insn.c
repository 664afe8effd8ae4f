/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual-instruction exits: an instruction that HS-mode could execute and the guest may not
 * (privileged specification, "Virtual-instruction exceptions"). Emulated are the counters, when the
 * guest's PMU asks for it, and the CSRs of the AIA that the guest has and the hardware does not
 * give to it; all else is an illegal instruction, as on a machine without H.
 */
#include <asm/aia_csr.h>
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/insn.h>
#include <asm/vpmu.h>
#include <hv/errno.h>
#include <hv/vcpu.h>
#include <hv/vimsic.h>

#define INSN_WFI 0x10500073
#define INSN_WRS_NTO 0x00d00073

bool exit_force_hlvx;

int guest_fetch(struct vcpu *vcpu, gva_t pc, u32 *insn)
{
	u16 half[2] = { 0, 0 };
	u64 at = pc.v;

	if (guest_fetch_half(at, &half[0]))
		goto fault;
	if ((half[0] & 3) == 3) {
		at += 2;
		if (guest_fetch_half(at, &half[1]))
			goto fault;
	}
	*insn = half[0] | (u32)half[1] << 16;
	return 0;

fault:
	/* HLVX reports load faults; what the guest missed is an instruction. */
	inject_exception(vcpu, csr_read(CSR_SCAUSE) == CAUSE_LOAD_PAGE ? CAUSE_FETCH_PAGE :
			 CAUSE_FETCH_ACCESS, at);
	return -EFAULT;
}

static bool from_supervisor(void)
{
	return csr_read(CSR_HSTATUS) & HSTATUS_SPVP;
}

/* A read of a counter that hcounteren withholds. */
static bool counter_read(struct vcpu *vcpu, const struct insn_csr *insn, u64 *value)
{
	u32 csr = insn->csr;

	/* A VU-mode read needs the guest's own scounteren as well. */
	if (insn->op != CSR_OP_READ || csr < CSR_CYCLE || csr > CSR_INSTRET ||
	    (!from_supervisor() && !(csr_read(CSR_SCOUNTEREN) & BIT(csr - CSR_CYCLE))))
		return false;
	if (csr == CSR_CYCLE)
		*value = vpmu_hw_read(&vcpu->arch.pmu, VPMU_CYCLE, csr_read(CSR_CYCLE));
	else if (csr == CSR_INSTRET)
		*value = vpmu_hw_read(&vcpu->arch.pmu, VPMU_INSTRET, csr_read(CSR_INSTRET));
	else
		return false;
	return true;
}

/* A CSR of the AIA, for a guest that has it; then the hart has it as well. */
static bool aia_access(struct vcpu *vcpu, const struct insn_csr *insn, u64 *value)
{
	struct vimsic *imsic = vcpu->arch.imsic;
	u64 operand = insn_csr_operand(insn, vcpu->arch.gpr);
	struct aia_csrs csrs;

	if (!imsic || !from_supervisor())
		return false;
	csrs = (struct aia_csrs){
		.imsic = imsic,
		.vcpu = vcpu->index,
		.siselect = csr_read(CSR_VSISELECT),
		.stopi = csr_read(CSR_VSTOPI),
	};
	if (aia_csr(&csrs, insn->csr, insn->op, operand, value) != AIA_CSR_DONE)
		return false;
	if (insn->op == CSR_OP_READ)
		return true;
	csr_write(CSR_VSISELECT, csrs.siselect);
	if (!vimsic_hw(imsic, vcpu->index))
		arch_vcpu_external(vcpu, vimsic_pending(imsic, vcpu->index) != 0);
	return true;
}

static bool csr_access(struct vcpu *vcpu, const struct insn_csr *csr)
{
	u64 value;

	if (!counter_read(vcpu, csr, &value) && !aia_access(vcpu, csr, &value))
		return false;
	if (csr->rd)
		vcpu->arch.gpr[csr->rd] = value;
	return true;
}

static bool needs_all(const struct insn_csr *csr)
{
	return exit_gpr_needs_all(csr->rd) ||
	       (!csr->immediate && exit_gpr_needs_all(csr->source));
}

/*
 * What hstatus.VTW intercepts on a shared hart. Both may always end early. In U-mode WFI is illegal
 * ("Wait for Interrupt"), but WRS.NTO is not (Zawrs): it waits for another hart, which may be a
 * vCPU that wants this hart's time.
 */
static bool waits(struct vcpu *vcpu, u32 insn)
{
	if (insn == INSN_WFI && from_supervisor())
		vcpu_wait(vcpu);
	else if (insn == INSN_WRS_NTO)
		vcpu_yield(vcpu);
	else
		return false;
	return true;
}

enum exit_action exit_virtual_instruction(struct vcpu *vcpu, bool all)
{
	u64 stval = csr_read(CSR_STVAL);
	u32 insn = (u32)stval;
	struct insn_csr csr;
	bool is_csr;

	/* stval holds the instruction or 0 ("stval": what is written on illegal instructions). */
	if ((stval == 0 || exit_force_hlvx) &&
	    guest_fetch(vcpu, GVA(csr_read(CSR_SEPC)), &insn))
		return ACTION_SAME;
	if (waits(vcpu, insn)) {
		vcpu->exits[EXIT_VIRTUAL_INSTRUCTION]++;
		return ACTION_NEXT4;
	}
	is_csr = insn_csr(insn, &csr);
	if (!all && is_csr && needs_all(&csr))
		return ACTION_ALL;
	vcpu->exits[EXIT_VIRTUAL_INSTRUCTION]++;
	if (is_csr && csr_access(vcpu, &csr))
		return ACTION_NEXT4;
	vpmu_count(&vcpu->arch.pmu, SBI_PMU_FW_ILLEGAL_INSN);
	inject_exception(vcpu, CAUSE_ILLEGAL, insn);
	return ACTION_SAME;
}
