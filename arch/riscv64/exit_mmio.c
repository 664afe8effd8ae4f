/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest-page faults: accesses to emulated devices, and to nothing. What cannot be answered goes
 * back to the guest as the access fault that a board without Shyper would have raised.
 */
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/insn.h>
#include <asm/vpmu.h>
#include <hv/mmio.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

/* htval is the guest physical address shifted right by 2; stval has the low bits. */
static inline gpa_t fault_address(void)
{
	return GPA(csr_read(CSR_HTVAL) << 2 | (csr_read(CSR_STVAL) & 3));
}

static enum exit_action refuse(struct vcpu *vcpu, bool write)
{
	u64 cause = write ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS;

	vcpu->exits[EXIT_FAULT]++;
	vpmu_count(&vcpu->arch.pmu, write ? SBI_PMU_FW_ACCESS_STORE : SBI_PMU_FW_ACCESS_LOAD);
	vcpu_note(vcpu, &vcpu->vm->log_limit, &(struct vcpu_deed){
		.kind = write ? DEED_STORE : DEED_LOAD,
		.address = fault_address().v,
		.pc = csr_read(CSR_SEPC),
	});
	inject_exception(vcpu, cause, csr_read(CSR_STVAL));
	return ACTION_SAME;
}

/* The long way: htinst is empty, or holds something else than an integer load or store. */
static enum insn_kind identify(struct vcpu *vcpu, struct insn_ldst *ldst, bool *gone)
{
	u64 htinst = csr_read(CSR_HTINST), address;
	enum insn_kind kind = insn_decode_htinst(htinst, ldst);
	u32 insn;

	*gone = false;
	if (kind == INSN_WALK || (kind != INSN_NONE && !exit_force_hlvx))
		return kind;
	*gone = guest_fetch(vcpu, GVA(csr_read(CSR_SEPC)), &insn) != 0;
	if (*gone)
		return INSN_UNKNOWN;
	kind = insn_decode(insn, ldst);
	/* stval may lie past the first byte when the access crosses a page. */
	if (kind == INSN_LDST) {
		address = insn_ldst_address(insn, vcpu->arch.gpr);
		ldst->offset = (u8)MIN(csr_read(CSR_STVAL) - address, (u64)8);
	}
	return kind;
}

/* Carry out one decoded access. */
__hot static inline enum exit_action perform(struct vcpu *vcpu, bool all, struct insn_ldst ldst)
{
	enum mmio_result result;
	struct mmio_access access;

	if (!all && exit_gpr_needs_all(ldst.reg))
		return ACTION_ALL;
	if (unlikely(ldst.offset))
		return refuse(vcpu, ldst.write);
	access.width = ldst.width;
	access.write = ldst.write;
	access.vcpu = vcpu->index;
	if (ldst.write)
		access.value = insn_store_value(&ldst, vcpu->arch.gpr[ldst.reg]);
	result = mmio_access(&vcpu->vm->bus, fault_address(), &access);
	if (unlikely(result > MMIO_AGAIN))
		return refuse(vcpu, ldst.write);
	vcpu->exits[ldst.write ? EXIT_MMIO_WRITE : EXIT_MMIO_READ]++;
	if (unlikely(result == MMIO_AGAIN))
		return ACTION_SAME;
	if (!ldst.write && ldst.reg)
		vcpu->arch.gpr[ldst.reg] = insn_load_value(&ldst, access.value);
	return (enum exit_action)ldst.length;
}

/* htinst does not tell: nothing can be taken for granted. */
__attribute__((noinline)) static enum exit_action emulate(struct vcpu *vcpu, bool all, bool write)
{
	struct insn_ldst ldst;
	bool gone;

	if (!all)
		return ACTION_ALL;
	if (identify(vcpu, &ldst, &gone) != INSN_LDST)
		return gone ? ACTION_SAME : refuse(vcpu, write);
	/* Another vCPU changed the instruction meanwhile: it runs as it is now. */
	if (ldst.write != write)
		return ACTION_SAME;
	return perform(vcpu, all, ldst);
}

__hot enum exit_action exit_load(struct vcpu *vcpu, bool all)
{
	struct insn_ldst ldst;

	if (unlikely(!insn_ldst_htinst(csr_read(CSR_HTINST), &ldst) || ldst.write ||
		     exit_force_hlvx))
		return emulate(vcpu, all, false);
	return perform(vcpu, all, ldst);
}

__hot enum exit_action exit_store(struct vcpu *vcpu, bool all)
{
	struct insn_ldst ldst;

	if (unlikely(!insn_ldst_htinst(csr_read(CSR_HTINST), &ldst) || !ldst.write ||
		     exit_force_hlvx))
		return emulate(vcpu, all, true);
	return perform(vcpu, all, ldst);
}

enum exit_action exit_fetch(struct vcpu *vcpu, bool all)
{
	u64 pc = csr_read(CSR_SEPC), stval = csr_read(CSR_STVAL);

	(void)all;
	vcpu->exits[EXIT_FAULT]++;
	/*
	 * When the trap vector itself cannot be fetched, the fault would repeat for ever with
	 * interrupts off: nothing in the guest can end that.
	 */
	if (pc == (csr_read(CSR_VSTVEC) & ~(u64)3) && !(csr_read(CSR_VSSTATUS) & SSTATUS_SIE) &&
	    (csr_read(CSR_SSTATUS) & SSTATUS_SPP)) {
		vm_crash(vcpu->vm, "vCPU %u: its trap vector 0x%llx is not in its memory "
			 "(first fault: cause %llu at pc 0x%llx)", vcpu->index,
			 (unsigned long long)pc, (unsigned long long)csr_read(CSR_VSCAUSE),
			 (unsigned long long)csr_read(CSR_VSEPC));
		return ACTION_SAME;
	}
	vcpu_note(vcpu, &vcpu->vm->log_limit,
		  &(struct vcpu_deed){ .kind = DEED_JUMP, .address = pc });
	inject_exception(vcpu, CAUSE_FETCH_ACCESS, stval);
	return ACTION_SAME;
}
