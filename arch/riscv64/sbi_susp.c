/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI SUSP ("System Suspend Extension"): suspend to RAM, woken by the last vCPU's interrupts. */
#include <asm/sbi.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

static bool others_stopped(const struct vcpu *vcpu)
{
	for (u32 i = 0; i < vcpu->vm->vcpus; i++)
		if (vcpu->vm->vcpu[i] != vcpu && vcpu_state(vcpu->vm->vcpu[i]) != VCPU_STOPPED)
			return false;
	return true;
}

struct sbi_ret sbi_susp(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	struct vcpu_start resume = { .pc = arg[1], .arg = arg[2] };
	u32 type = (u32)arg[0];

	if (fid != SBI_EXT_SUSP_SYSTEM_SUSPEND)
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	if (type != SBI_SUSP_SLEEP_TYPE_SUSPEND_TO_RAM)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (!sbi_start_valid(vcpu->vm, resume.pc))
		return sbi_error(SBI_ERR_INVALID_ADDRESS);
	if (!others_stopped(vcpu))
		return sbi_error(SBI_ERR_DENIED);
	vcpu_suspend(vcpu, &resume);
	return sbi_ok(0);
}
