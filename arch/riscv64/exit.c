/* SPDX-License-Identifier: BSD-2-Clause */
/* Dispatch of exits, and exceptions given back to the guest. */
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/hart.h>
#include <asm/boot.h>
#include <asm/units.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

/* Causes that cannot come from a guest with our hedeleg: delegated, or of other modes. */
static enum exit_action exit_unexpected(struct vcpu *vcpu, bool all)
{
	(void)all;
	vm_crash(vcpu->vm, "vCPU %u: unexpected trap, cause %llu at pc 0x%llx, stval 0x%llx",
		 vcpu->index, (unsigned long long)csr_read(CSR_SCAUSE),
		 (unsigned long long)csr_read(CSR_SEPC), (unsigned long long)csr_read(CSR_STVAL));
	return ACTION_SAME;
}

/* Delegation of this cause did not stick on this hart: deliver it by hand. */
static enum exit_action exit_redirect(struct vcpu *vcpu, bool all)
{
	(void)all;
	vcpu->exits[EXIT_FAULT]++;
	inject_exception(vcpu, csr_read(CSR_SCAUSE), csr_read(CSR_STVAL));
	return ACTION_SAME;
}

static enum exit_action exit_illegal(struct vcpu *vcpu, bool all)
{
	vcpu->exits[EXIT_OTHER]++;
	return units_demand(vcpu) ? ACTION_SAME : exit_redirect(vcpu, all);
}

typedef enum exit_action (*exit_handler)(struct vcpu *vcpu, bool all);

static const exit_handler handlers[CAUSES] = {
	[CAUSE_FETCH_MISALIGNED] = exit_redirect,
	[CAUSE_FETCH_ACCESS] = exit_redirect,
	[CAUSE_ILLEGAL] = exit_illegal,
	[CAUSE_BREAKPOINT] = exit_redirect,
	[CAUSE_LOAD_MISALIGNED] = exit_redirect,
	[CAUSE_LOAD_ACCESS] = exit_redirect,
	[CAUSE_STORE_MISALIGNED] = exit_redirect,
	[CAUSE_STORE_ACCESS] = exit_redirect,
	[CAUSE_ECALL_U] = exit_redirect,
	[CAUSE_ECALL_HS] = exit_unexpected,
	[CAUSE_ECALL_VS] = exit_sbi,
	[11] = exit_unexpected,
	[CAUSE_FETCH_PAGE] = exit_redirect,
	[CAUSE_LOAD_PAGE] = exit_redirect,
	[14] = exit_unexpected,
	[CAUSE_STORE_PAGE] = exit_redirect,
	[16] = exit_unexpected,
	[17] = exit_unexpected,
	[CAUSE_SOFTWARE_CHECK] = exit_redirect,
	[CAUSE_HARDWARE_ERROR] = exit_redirect,
	[CAUSE_FETCH_GUEST_PAGE] = exit_fetch,
	[CAUSE_LOAD_GUEST_PAGE] = exit_load,
	[CAUSE_VIRTUAL_INSTRUCTION] = exit_virtual_instruction,
	[CAUSE_STORE_GUEST_PAGE] = exit_store,
};

__attribute__((noinline)) static void look_for_others(struct vcpu *vcpu)
{
	hart_serve_files();
	sched_interrupted(&this_hart()->sched, vcpu);
}

/* Out of line: it would cost every other exit the registers that it saves. */
__attribute__((noinline)) static void exit_interrupt(struct vcpu *vcpu, u64 irq)
{
	const struct hart *hart = this_hart();
	u64 kicks = hart->kicks;

	hart_serve();
	/* A kick may arrive as an external interrupt. */
	vcpu->exits[hart->kicks != kicks ? EXIT_IPI :
		    irq == IRQ_STI ? EXIT_TIMER : EXIT_EXTERNAL]++;
	vcpu_serve(vcpu);
	if (unlikely(vcpu->shared))
		look_for_others(vcpu);
}

__hot struct exit_return exit_handle(struct vcpu *vcpu, bool all)
{
	u64 cause = csr_read(CSR_SCAUSE);
	enum exit_action action = ACTION_SAME;

	if (unlikely(cause & SCAUSE_INTERRUPT))
		exit_interrupt(vcpu, cause & ~SCAUSE_INTERRUPT);
	else if (likely(cause < CAUSES))
		action = handlers[cause](vcpu, all);
	else
		action = exit_unexpected(vcpu, all);

	if (unlikely(action == ACTION_ALL))
		return (struct exit_return){ vcpu, EXIT_NEED_ALL };
	csr_write(CSR_SEPC, csr_read(CSR_SEPC) + (u64)action);
	_Static_assert(EXIT_RESUME == false && EXIT_LEAVE == true, "vcpu->leave is the result");
	return (struct exit_return){ vcpu, vcpu->leave };
}

void inject_exception(struct vcpu *vcpu, u64 cause, u64 tval)
{
	u64 vsstatus = csr_read(CSR_VSSTATUS) & ~(SSTATUS_SPP | SSTATUS_SPIE);
	u64 sstatus = csr_read(CSR_SSTATUS);

	(void)vcpu;
	vsstatus |= sstatus & SSTATUS_SPP;
	if (vsstatus & SSTATUS_SIE)
		vsstatus |= SSTATUS_SPIE;
	csr_write(CSR_VSSTATUS, vsstatus & ~SSTATUS_SIE);
	csr_write(CSR_VSEPC, csr_read(CSR_SEPC));
	csr_write(CSR_VSCAUSE, cause);
	csr_write(CSR_VSTVAL, tval);
	csr_write(CSR_SEPC, csr_read(CSR_VSTVEC) & ~(u64)3);
	csr_set(CSR_SSTATUS, SSTATUS_SPP);
}
