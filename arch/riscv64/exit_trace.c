/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits of a hart that records them: stvec leads here instead of to exit_handle(), so that harts
 * which do not record pay nothing.
 */
#include <asm/boot.h>
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/hart.h>
#include <hv/string.h>
#include <hv/trace.h>
#include <hv/vcpu.h>

_Static_assert(SHYPER_TRACE_EVENTS <= 32, "a bit each");

#define AT_EXITS ((u32)(BIT(SHYPER_TRACE_EXIT) | BIT(SHYPER_TRACE_INTERRUPT)))

void arch_trace(void)
{
	const struct trace_ring *ring = this_hart()->trace;
	void (*entry)(void) = ring && ring->events & AT_EXITS ? trap_entry_traced : trap_entry;

	csr_write(CSR_STVEC, (u64)(uintptr_t)entry);
	vcpu_leave();
}

static u64 data_of(const struct vcpu *vcpu, u64 cause)
{
	switch (cause) {
	case CAUSE_ECALL_VS:
		return vcpu->arch.gpr[GPR_A7] << 32 | (u32)vcpu->arch.gpr[GPR_A6];
	case CAUSE_FETCH_GUEST_PAGE:
	case CAUSE_LOAD_GUEST_PAGE:
	case CAUSE_STORE_GUEST_PAGE:
		return csr_read(CSR_HTVAL) << 2 | (csr_read(CSR_STVAL) & 3);
	default:
		return cause & SCAUSE_INTERRUPT ? cause & ~SCAUSE_INTERRUPT : 0;
	}
}

/* The counter that has moved. */
static u8 cause_of(const struct vcpu *vcpu, const u64 *before)
{
	u8 cause = 0;

	while (cause < EXIT_OTHER && vcpu->exits[cause] == before[cause])
		cause++;
	return cause;
}

struct exit_return exit_handle_traced(struct vcpu *vcpu, bool all)
{
	u64 start = arch_time(), data = data_of(vcpu, csr_read(CSR_SCAUSE));
	u64 exits[EXIT_CAUSES];
	u32 pending = arch_vcpu_trace_pending(vcpu);
	struct exit_return ret;

	memcpy(exits, vcpu->exits, sizeof(exits));
	ret = exit_handle(vcpu, all);
	if (ret.result == EXIT_NEED_ALL)
		return ret;
	pending = arch_vcpu_trace_pending(vcpu) & ~pending;
	if (pending && arch_vcpu_current() == vcpu)	/* not one that has just stopped */
		trace(SHYPER_TRACE_INTERRUPT, vcpu, 0, pending, 0);
	trace(SHYPER_TRACE_EXIT, vcpu, cause_of(vcpu, exits), (u32)(arch_time() - start), data);
	return ret;
}
