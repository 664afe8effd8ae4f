/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI TIME ("Timer Extension"): vstimecmp with Sstc, else a soft timer of the hart. */
#include <asm/csr.h>
#include <asm/exit.h>
#include <asm/features.h>
#include <asm/sbi.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

/* Without Sstc: VSTIP is ours to clear now and to set when the time comes. */
static void set_soft_timer(struct vcpu *vcpu, u64 guest_time)
{
	u64 deadline = arch_vm_host_time(&vcpu->vm->arch, guest_time);

	csr_clear(CSR_HVIP, IP(IRQ_VSTI));
	if (deadline <= arch_time()) {
		timer_cancel(&vcpu->arch.timer);
		csr_set(CSR_HVIP, IP(IRQ_VSTI));
	} else if (deadline == TIMER_NEVER) {
		timer_cancel(&vcpu->arch.timer);
	} else {
		timer_arm(&vcpu->arch.timer, deadline);
	}
}

__hot struct sbi_ret sbi_time(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	if (fid != SBI_EXT_TIME_SET_TIMER)
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	vpmu_count(&vcpu->arch.pmu, SBI_PMU_FW_SET_TIMER);
	if (likely(feature(FEATURE_SSTC)))
		csr_write(CSR_VSTIMECMP, arg[0]);
	else
		set_soft_timer(vcpu, arg[0]);
	return sbi_ok(0);
}
