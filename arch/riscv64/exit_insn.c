/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual-instruction exits: an instruction that HS-mode could execute and the guest may not
 * (privileged specification, "Virtual-instruction exceptions"). The counters are emulated when the
 * guest's PMU asks for it; all else is an illegal instruction, as on a machine without H.
 */
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/vpmu.h>
#include <hv/errno.h>
#include <hv/vcpu.h>

/* SYSTEM opcode, funct3 = csrrs or csrrc with rs1 = x0, or any form: fields of the I-type. */
#define INSN_SYSTEM 0x73
#define INSN_OPCODE(insn) ((insn) & 0x7f)
#define INSN_RD(insn) (((insn) >> 7) & 31)
#define INSN_FUNCT3(insn) (((insn) >> 12) & 7)
#define INSN_RS1(insn) (((insn) >> 15) & 31)
#define INSN_CSR(insn) ((insn) >> 20)
#define INSN_WFI 0x10500073

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

/* A read of a counter that hcounteren withholds: csrrs/csrrc (or their immediate form) of x0. */
static bool counter_read(struct vcpu *vcpu, u32 insn, u64 *value)
{
	u32 funct3 = INSN_FUNCT3(insn), csr = INSN_CSR(insn);

	if (INSN_OPCODE(insn) != INSN_SYSTEM || (funct3 & 3) < 2 || INSN_RS1(insn) != 0)
		return false;
	/* A VU-mode read needs the guest's own scounteren as well. */
	if (csr < CSR_CYCLE || csr > CSR_INSTRET ||
	    (!(csr_read(CSR_HSTATUS) & HSTATUS_SPVP) &&
	     !(csr_read(CSR_SCOUNTEREN) & BIT(csr - CSR_CYCLE))))
		return false;
	if (csr == CSR_CYCLE)
		*value = vpmu_hw_read(&vcpu->arch.pmu, VPMU_CYCLE, csr_read(CSR_CYCLE));
	else if (csr == CSR_INSTRET)
		*value = vpmu_hw_read(&vcpu->arch.pmu, VPMU_INSTRET, csr_read(CSR_INSTRET));
	else
		return false;
	return true;
}

enum exit_action exit_virtual_instruction(struct vcpu *vcpu, bool all)
{
	u64 stval = csr_read(CSR_STVAL), value;
	u32 insn = (u32)stval;

	/* stval holds the instruction or 0 ("stval": what is written on illegal instructions). */
	if ((stval == 0 || exit_force_hlvx) &&
	    guest_fetch(vcpu, GVA(csr_read(CSR_SEPC)), &insn))
		return ACTION_SAME;
	if (!all)
		return ACTION_ALL;
	vcpu->exits[EXIT_VIRTUAL_INSTRUCTION]++;
	/* A WFI may always end early; in U-mode it is illegal ("Wait for Interrupt"). */
	if (insn == INSN_WFI && (csr_read(CSR_HSTATUS) & HSTATUS_SPVP))
		return ACTION_NEXT4;
	if (counter_read(vcpu, insn, &value)) {
		if (INSN_RD(insn))
			vcpu->arch.gpr[INSN_RD(insn)] = value;
		return ACTION_NEXT4;
	}
	vpmu_count(&vcpu->arch.pmu, SBI_PMU_FW_ILLEGAL_INSN);
	inject_exception(vcpu, CAUSE_ILLEGAL, insn);
	return ACTION_SAME;
}
