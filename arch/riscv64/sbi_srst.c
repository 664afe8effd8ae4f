/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI SRST ("System Reset Extension"). */
#include <asm/sbi.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

struct sbi_ret sbi_srst(struct vcpu *vcpu, u64 fid, const u64 *arg)
{
	u32 type = (u32)arg[0], reason = (u32)arg[1];

	if (fid != SBI_EXT_SRST_SYSTEM_RESET)
		return sbi_error(SBI_ERR_NOT_SUPPORTED);
	if (type > SBI_SRST_RESET_TYPE_WARM_REBOOT ||
	    reason > SBI_SRST_RESET_REASON_SYSTEM_FAILURE)
		return sbi_error(SBI_ERR_INVALID_PARAM);
	if (reason == SBI_SRST_RESET_REASON_SYSTEM_FAILURE)
		vm_end(vcpu->vm, VM_FAILURE, 0);
	else if (type == SBI_SRST_RESET_TYPE_SHUTDOWN)
		vm_end(vcpu->vm, VM_POWEROFF, 0);
	else
		vm_end(vcpu->vm, VM_REBOOT, 0);
	return sbi_ok(0);	/* nobody sees it: the vCPU halts */
}
